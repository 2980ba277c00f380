// The contract's errors E1 to E4 and the version conflict of the troubleshooting guide, each with its remedy.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../../lib/paths.ts';
import { contentsOf } from '../migrations/codebase_mcp/contents.ts';
import { makeDatabase, type TestDatabase } from '../setup/database.ts';
import { expectOutput } from './golden.ts';
import { backstop, type Ended, run, SUCCESS } from './program.ts';

let db: TestDatabase;
beforeEach(async () => {
  db = await makeDatabase('at005');
});
afterEach(() => db.drop());

const upgrade = () => backstop(db, 'upgrade', 'head');

/** Runs into the error, which changes nothing in the database. */
async function fail(work: () => Promise<Ended> = upgrade): Promise<Ended> {
  const before = await contentsOf(db);
  const ended = await work();
  expect(ended.status).toBe(1);
  expect(await contentsOf(db)).toEqual(before);
  return ended;
}

/** The SQL of the hint, which follows its first colon. */
function remedyIn(stderr: string): string {
  return /^HINT: .*?: (.+)$/m.exec(stderr)?.[1] ?? '';
}

interface Scenario {
  readonly given: string;
  readonly golden: string;
  /** The lines of the contract, in order; the first line comes from the Python libraries. */
  readonly contract: readonly string[];
}

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  // The contract's work_items is not among the nine, and its message ends in ROLLBACK: here the key is found before the
  // transaction begins, so there is none to roll back.
  'E1: Foreign Key Violation': {
    given: 'ALTER TABLE tasks ADD repository_id uuid CONSTRAINT fk_name REFERENCES repositories',
    golden: 'printed/error-e1',
    contract: [
      "Foreign key constraint detected from 'tasks' to 'repositories'",
      'DETAIL:  Cannot safely drop tables. Remove foreign key first.',
      'HINT:  Run: ALTER TABLE public.tasks DROP CONSTRAINT fk_name;',
    ],
  },
  // The contract's remedy goes by code_chunks.repository_id; a chunk finds its repository through its file.
  'E2: Orphaned Code Chunks': {
    given: `
      ALTER TABLE code_chunks DROP CONSTRAINT code_chunks_code_file_id_fkey;
      INSERT INTO code_chunks (code_file_id, content, start_line, end_line)
      SELECT gen_random_uuid(), '', 1, 1 FROM generate_series(1, 3)`,
    golden: 'printed/error-e2',
    contract: [
      'Cannot add NOT NULL constraint to code_chunks.project_id',
      'DETAIL:  3 rows have NULL project_id (orphaned chunks with no parent repository)',
      'HINT:  Fix data integrity: DELETE FROM public.code_chunks',
      '\n\nROLLBACK (automatic)\n',
    ],
  },
  'E3: Pattern Violation': {
    given: `
      ALTER TABLE repositories ADD project_id varchar(50) NOT NULL DEFAULT 'default';
      UPDATE repositories SET project_id = 'INVALID_VALUE' WHERE path = (SELECT min(path) FROM repositories)`,
    golden: 'printed/error-e3',
    contract: [
      'Check constraint "check_repositories_project_id" violated',
      'DETAIL:  Row with id=',
      " has project_id='INVALID_VALUE' which violates pattern ^[a-z0-9-]{1,50}$",
      '\n\nROLLBACK (automatic)\n',
    ],
  },
};

describe('Error Scenarios', () => {
  test.each(Object.entries(SCENARIOS))('%s', async (_, { given, golden, contract }) => {
    await db.query(given);
    const { stderr } = await fail();
    expectInOrder(stderr, contract);
    expectOutput(stderr, golden);

    await db.query(remedyIn(stderr));
    expect(await upgrade()).toMatchObject(SUCCESS);
  });

  test('E4: Performance Timeout', async () => {
    await db.query(`
      ALTER TABLE repositories ADD project_id varchar(50) NOT NULL DEFAULT 'default';
      UPDATE repositories SET project_id = 'acme' WHERE path > (SELECT min(path) FROM repositories);
      CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1.5); RETURN NULL; END';
      CREATE TRIGGER linger BEFORE UPDATE ON code_chunks FOR EACH STATEMENT EXECUTE FUNCTION linger()`);
    const { stderr } = await fail(upgradeOnFastClock);
    expectInOrder(stderr, [
      'Migration timeout exceeded (300 seconds)',
      'DETAIL:  ',
      'Consider running on smaller dataset or optimizing index creation',
      '\n\nROLLBACK (automatic)\n',
    ]);
    // The step in which the time runs out depends on the machine.
    expectOutput(stderr.replace(/step .*?\)(?=;)/, '#'), 'printed/error-e4');

    await db.query(remedyIn(stderr));
    expect(await upgrade()).toMatchObject(SUCCESS);
  });
});

// The troubleshooting guide's E4: `Can't locate revision identified by '002'`.
test('Error E4: Alembic Version Conflicts', async () => {
  await db.query(`UPDATE alembic_version SET version_num = 'a1b2c3d4e5f6'`);
  const { stdout, stderr } = await fail();
  expect(stdout).toBe('');
  expectOutput(stderr, 'printed/error-version-conflict');

  const remedy = /npx backstop (.+)$/m.exec(stderr)?.[1]?.split(' ') ?? [];
  expect(await backstop(db, ...remedy)).toMatchObject(SUCCESS);
  expect(await upgrade()).toMatchObject(SUCCESS);
});

/** Five minutes pass in a second. */
function upgradeOnFastClock(): Promise<Ended> {
  const { href } = pathToFileURL(join(import.meta.dirname, 'fast-clock.ts'));
  // By that clock the estimate is 300 times as long, too.
  const args = ['upgrade', 'head', '--max-lock', '300'];
  return run(db, process.execPath, [`--import=${href}`, join(ROOT, 'bin/backstop.ts'), ...args]);
}

function expectInOrder(text: string, parts: readonly string[]): void {
  let rest = text;
  for (const part of parts) {
    expect(rest).toContain(part);
    rest = rest.slice(rest.indexOf(part) + part.length);
  }
}
