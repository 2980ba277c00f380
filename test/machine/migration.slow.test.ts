// Executions whose migration is refused, stopped or lost: the database is unchanged, or the ending says its state.
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectNothingLeft, hold, pidRunning } from '../setup/sessions.ts';
import {
  type Case,
  expectEnding,
  makeTwin,
  provoke,
  type TestTwin,
  withEnvironment,
  withMigrations,
  withTimeout,
} from './twin.ts';

/** Runs SQL in the database before the execution starts. */
const sql =
  (text: string) =>
  ({ database }: TestTwin) =>
    database.query(text);

/** Acts while a state waits for an answer of AWS. */
const during = (state: string, happens: (twin: TestTwin) => unknown) => (twin: TestTwin) => {
  twin.endpoint.onRequest = async () => {
    if (twin.state === state) await happens(twin);
    return undefined;
  };
};

/** Runs PL/pgSQL at the beginning of every ALTER TABLE. */
const alteringTables = (action: string) => (twin: TestTwin) =>
  twin.database.asAdministrator(`
    CREATE FUNCTION altering() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN ${action}; END $$;
    CREATE EVENT TRIGGER altering ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION altering()`);

const REVISION = 'codebase_mcp/002_remove_non_search_tables';
const NO_SNAPSHOT = { snapshot: false };

const REFUSED: Case[] = [
  {
    ending: 'LockTooLong',
    when: 'the estimate exceeds what the input allows',
    input: { maxLock: 0.000_001 },
    says: ['would lock public.', '"maxLock":'],
  },
  {
    ending: 'NotAtTarget',
    when: 'a status finds revisions pending',
    input: 'status',
    says: ['The database is at 005, not at 002', 'Pending: 002', '{"action":"upgrade"}'],
  },
  {
    ending: 'NotAtTarget',
    when: 'there is nothing yet to finalize',
    input: 'finalize',
    says: ['The database is at 005, not at 002'],
  },
  {
    ending: 'UnknownRevision',
    when: 'no folder describes the target',
    input: { target: '999' },
    says: ["Can't locate revision identified by '999'", '<base> -> 001 -> 003 -> 003a -> 005 -> 002'],
  },
  {
    ending: 'UnknownRevision',
    when: 'no folder describes where the database is',
    given: sql("UPDATE alembic_version SET version_num = '999'"),
    says: [
      "Can't locate revision identified by '999'",
      'npx backstop stamp 005 --purge --database codebase_mcp',
    ],
  },
  {
    ending: 'RevisionOutOfOrder',
    when: 'a revision below the current one was never applied here',
    given: sql("UPDATE backstop.history SET checksums = checksums - '003a'"),
    says: ['Revision 003a was never applied here', 'npx backstop stamp 005 --database codebase_mcp'],
  },
  {
    ending: 'StrangersObject',
    when: 'somebody else has made the schema of the retired tables',
    given: ({ database }) =>
      database.asAdministrator('CREATE SCHEMA retired_002; ALTER SCHEMA retired_002 OWNER TO pg_monitor'),
    says: ['The schema retired_002 belongs to pg_monitor', 'ALTER SCHEMA retired_002 RENAME TO'],
  },
  {
    ending: 'StrangersOverload',
    when: 'somebody else has put an overload into the search path of a revision',
    deployment: withMigrations((folder) => {
      const file = join(folder, REVISION, 'upgrade.sql');
      writeFileSync(file, readFileSync(file, 'utf8').replace('-- Search path: pg_catalog, pg_temp\n', ''));
    }),
    given: ({ database }) =>
      database.asAdministrator(`CREATE FUNCTION public.format(text, text) RETURNS text LANGUAGE sql AS 'SELECT $1';
        ALTER FUNCTION public.format(text, text) OWNER TO pg_monitor`),
    says: ['function public.format(text,text) of pg_monitor', 'DROP FUNCTION public.format('],
  },
  {
    ending: 'RevisionInvalid',
    when: 'two folders describe the same revision',
    deployment: withMigrations((folder) =>
      cpSync(join(folder, REVISION), join(folder, 'codebase_mcp/006_copy'), { recursive: true }),
    ),
    says: ['Revision 002 is given twice', '006_copy', 'Give one of them another id'],
  },
  {
    ending: 'RevisionInvalid',
    when: 'the list of databases is missing',
    deployment: withMigrations((folder) => rmSync(join(folder, 'databases.json'))),
    says: ['databases.json cannot be read'],
  },
  {
    ending: 'ForeignKeyBlocked',
    when: 'a retired table refers to a core table',
    given: sql('ALTER TABLE tasks ADD COLUMN repository_id uuid CONSTRAINT mine REFERENCES repositories'),
    says: ["from 'tasks' to 'repositories'", 'ALTER TABLE public.tasks DROP CONSTRAINT mine;'],
  },
  {
    ending: 'OrphanedChunks',
    when: 'a chunk has no file',
    input: NO_SNAPSHOT,
    given: sql(`ALTER TABLE code_chunks DROP CONSTRAINT code_chunks_code_file_id_fkey;
                UPDATE code_chunks SET code_file_id = gen_random_uuid() WHERE id IN (SELECT id FROM code_chunks LIMIT 2)`),
    says: ['2 rows have NULL project_id', 'DELETE FROM public.code_chunks'],
  },
  {
    ending: 'PatternViolation',
    when: 'a repository has an invalid project_id',
    input: NO_SNAPSHOT,
    given: sql(`ALTER TABLE repositories ADD COLUMN project_id varchar(50) NOT NULL DEFAULT 'default';
                UPDATE repositories SET project_id = 'My_Project' WHERE id IN (SELECT id FROM repositories LIMIT 1)`),
    says: ["project_id='My_Project'", 'UPDATE public.repositories SET project_id'],
  },
  {
    ending: 'MigrationRefused',
    when: 'a column exists with another definition',
    input: NO_SNAPSHOT,
    given: sql('ALTER TABLE repositories ADD COLUMN project_id text'),
    says: ['Column project_id of table repositories exists with another definition', 'RENAME COLUMN'],
  },
  {
    ending: 'MigrationRefused',
    when: 'an exception is raised that the revision does not declare',
    input: NO_SNAPSHOT,
    given: alteringTables("RAISE EXCEPTION 'tables are not altered on Fridays'"),
    says: ['raised an exception (SQLSTATE P0001) in step 3/8 of 002', 'Everything was rolled back'],
  },
];

const STOPPED: Case[] = [
  {
    ending: 'MigrationFailed',
    when: 'a step fails',
    input: NO_SNAPSHOT,
    given: alteringTables('PERFORM 1 / 0'),
    says: ['division by zero (SQLSTATE 22012) in step 3/8 of 002', 'Everything was rolled back'],
  },
  {
    ending: 'MigrationFailed',
    when: 'a requested downgrade fails',
    at: '002',
    input: { action: 'downgrade', target: '-1', snapshot: false },
    given: alteringTables('PERFORM 1 / 0'),
    says: ['division by zero', 'Everything was rolled back'],
  },
  {
    ending: 'DatabaseBusy',
    when: 'a session reads a table and does not end',
    deployment: withEnvironment({ BACKSTOP_LOCK_WAIT_SECONDS: '0' }),
    input: NO_SNAPSHOT,
    given: ({ database }) => hold(database, 'SELECT FROM repositories'),
    says: ['A table lock was not granted', 'holder', 'SELECT pg_terminate_backend('],
  },
  {
    ending: 'DatabaseBusy',
    when: 'another run is at work',
    deployment: withEnvironment({ BACKSTOP_LOCK_WAIT_SECONDS: '0' }),
    input: NO_SNAPSHOT,
    given: ({ database }) =>
      hold(database, `SELECT pg_advisory_lock(x'${Buffer.from('backstop').toString('hex')}'::bigint)`),
    says: ['Another Backstop run holds the lock', 'holder', 'SELECT pg_terminate_backend('],
  },
  {
    ending: 'MigrationTimeout',
    when: 'a step takes longer than the transaction may',
    deployment: withEnvironment({ BACKSTOP_TRANSACTION_SECONDS: '1' }),
    input: NO_SNAPSHOT,
    given: alteringTables('PERFORM pg_sleep(60)'),
    says: [
      'The transaction took longer than the 1 s that it may',
      'Stopped in step 3/8 of 002',
      'everything was rolled back',
    ],
  },
  {
    ending: 'MigrationFailed',
    when: 'the function of Migrate hangs until its time is up',
    deployment: withTimeout('Migrate', 1),
    input: NO_SNAPSHOT,
    given: during('Migrate', () => new Promise(() => {})),
    says: ['The answer of Migrate was lost; the database is at 005, unchanged'],
  },
  {
    ending: 'OutcomeUnknown',
    when: 'the answer is lost, and the secret with it',
    input: { drill: 'migrate-lost', finalize: false },
    given: during('Reconcile', ({ endpoint }) => endpoint.secrets.clear()),
    says: [
      'could not be asked what is true: The secret',
      'ResourceNotFoundException',
      'the action status',
      'aws rds restore-db-instance',
    ],
  },
  {
    ending: 'OutcomeUnknown',
    when: 'the answer is lost, and the database is somewhere else',
    input: { drill: 'migrate-lost', finalize: false },
    given: during('Reconcile', sql("UPDATE alembic_version SET version_num = '003'")),
    says: ['the database is at 003, neither 005 nor 002', 'backstop.history', 'aws rds restore-db-instance'],
  },
];

test.each([...REFUSED, ...STOPPED])('$ending: $when', provoke);

test('a refusal that can be known beforehand comes before the snapshot', async () => {
  await using twin = await makeTwin();
  await twin.database.query('ALTER TABLE tasks ADD COLUMN chunk_id uuid REFERENCES code_chunks');
  const run = await twin.execute({});
  expectEnding(run, 'ForeignKeyBlocked');
  expect(twin.endpoint.snapshots.size).toBe(0);
});

/** The pid of the function that this process runs, from /proc. */
function workerOf(parent: number): number {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const found = pids.find((pid) => {
    try {
      const [, parentOfPid] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return (
        Number(parentOfPid) === parent && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('worker.ts')
      );
    } catch {
      return false; // It has ended meanwhile.
    }
  });
  return Number(found);
}

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('MigrationFailed: the function dies in the middle of a step, and leaves no lock', async () => {
  await using twin = await makeTwin();
  await alteringTables('PERFORM pg_sleep(60)')(twin);
  const executing = twin.execute(NO_SNAPSHOT);
  // Text of the third step, near its beginning: pg_stat_activity cuts long statements.
  await pidRunning(twin.database, 'Column kept with its values');
  process.kill(workerOf(process.pid), 'SIGKILL');
  const run = await executing;
  expectEnding(run, 'MigrationFailed', 'the database is at 005, unchanged');
  expect(run.execution.states.find(({ name }) => name === 'Migrate')?.error).toBe('Runtime.ExitError');
  await expectNothingLeft(twin.database);
});

describe('a refusal of Preflight ends with its own name', () => {
  test.each<Case>([
    {
      ending: 'InvalidInput',
      when: 'the target of an upgrade lies behind',
      input: { target: '001' },
      says: ['The database is at 005: 001 is not ahead', 'downgrade to 001'],
    },
    {
      ending: 'InvalidInput',
      when: 'the target of a downgrade lies ahead',
      input: { action: 'downgrade', target: 'head' },
      says: ['The database is at 005: 002 is not behind', 'upgrade to 002'],
    },
    {
      ending: 'InvalidInput',
      when: 'there are not so many revisions',
      input: { target: '+9' },
      says: ["Relative revision +9 didn't produce 9 migrations"],
    },
    {
      ending: 'PrivilegeMissing',
      when: 'the version may not be read',
      given: ({ database }) => database.asAdministrator('ALTER TABLE alembic_version OWNER TO CURRENT_USER'),
      says: ['lacks a privilege that the run needs', 'ON public.alembic_version TO'],
    },
  ])('$ending: $when', provoke);
});
