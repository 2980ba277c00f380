// The pattern of project_id, as the database itself enforces it on both tables (FR-009 to FR-012, FR-024 to FR-026).
import { upgrade } from '../../../lambda/migrator/migrator.ts';
import { Random } from '../../../lib/twin/data/random.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../setup/database.ts';

const VALID = [
  'default',
  'my-project',
  'proj-123',
  'project-123',
  'a',
  '7',
  'test-2025-q1',
  'a-very-long-project-name-with-exactly-fifty-ch',
  'fifty-character-project-name-that-is-exactly-fifty',
  'a'.repeat(50),
];

const INVALID = [
  // FR-009: only lower case
  'My-Project',
  'MY-PROJECT',
  'Default',
  'é',
  'straße',
  // FR-010: no underscore, space or other character
  'my_project',
  'my project',
  ' my-project',
  'my-project ',
  'project@#$%',
  'my.project',
  'line\nfeed',
  'default\n',
  // FR-011: 1 to 50 long
  '',
  'a'.repeat(51),
  'this-is-a-very-long-project-name-that-exceeds-fifty-characters-limit',
  '51-character-project-name-that-exceeds-the-fifty-char-limit',
  // FR-012: no leading, trailing or consecutive hyphen
  '-',
  '--',
  '-project',
  '-my-project',
  'project-',
  'my-project-',
  'my--project',
  // FR-025: malicious values
  "'; DROP TABLE--",
  "'; DROP TABLE repositories; --",
  "default' OR '1'='1",
  "default'); DELETE FROM code_chunks; --",
  '../../../etc',
  '../../../etc/passwd',
  '<script>alert(1)</script>',
  '$(reboot)',
  '\\',
  '%',
];

/** A row with the project_id $1. */
const INSERT = {
  repositories: `INSERT INTO repositories (path, indexed_at, project_id) VALUES (gen_random_uuid()::text, now(), $1)`,
  code_chunks: `INSERT INTO code_chunks (code_file_id, content, start_line, end_line, project_id)
    SELECT id, '', 1, 1, $1 FROM code_files LIMIT 1`,
};
const TABLES = ['repositories', 'code_chunks'] as const;

/** The CHECK's refusal, or that of varchar(50) for what is too long. */
const REFUSED = { code: expect.stringMatching(/^(23514|22001)$/) };

let db: TestDatabase;
beforeAll(async () => {
  db = await makeDatabase('at005');
  await upgrade(migratorOn(db), '002');
});
afterAll(() => db.drop());

describe.each(TABLES)('%s', (table) => {
  test.each(VALID)('FR-024: takes %j', async (value) => {
    await expect(db.query(INSERT[table], [value])).resolves.toEqual([]);
  });

  test.each(INVALID)('FR-026: refuses %j', async (value) => {
    await expect(db.query(INSERT[table], [value])).rejects.toMatchObject(REFUSED);
  });

  test.each(INVALID)('FR-026: refuses a change to %j', async (value) => {
    await expect(db.query(`UPDATE ${table} SET project_id = $1`, [value])).rejects.toMatchObject(REFUSED);
  });

  test('FR-024: refuses no value at all', async () => {
    await expect(db.query(INSERT[table], [null])).rejects.toMatchObject({ code: '23502' });
  });

  test('FR-009 to FR-012: its constraint judges a thousand random values as the rule in words does', async () => {
    const values = randomValues(1000);
    const [rule] = await db.query(
      `SELECT pg_get_expr(conbin, conrelid) AS expression FROM pg_constraint WHERE conname = 'check_${table}_project_id'`,
    );
    const judged = await db.query(
      `SELECT project_id, ${rule?.expression} AS valid FROM unnest($1::text[]) AS project_id`,
      [values],
    );
    const expected = values.map((value) => ({ project_id: value, valid: isValid(value) }));
    expect(judged).toEqual(expected);
    expect(new Set(expected.map(({ valid }) => valid)).size).toBe(2);
  });
});

test('FR-025: malicious values changed nothing', async () => {
  const count = `SELECT (SELECT count(*) FROM repositories)::int AS repositories, (SELECT count(*) FROM code_chunks)::int AS chunks`;
  const [before] = await db.query(count);
  for (const table of TABLES)
    for (const value of INVALID) await db.query(INSERT[table], [value]).catch(() => {});
  expect(await db.query(count)).toEqual([before]);
});

/** Words of lower case letters and digits, with single hyphens between them. */
function isValid(value: string): boolean {
  return value.length <= 50 && value.split('-').every((word) => /^[a-z0-9]+$/.test(word));
}

function randomValues(count: number): string[] {
  const random = new Random(1);
  const often = 'abcxyz0189-';
  const seldom = 'ABZ_ .\n\'"\\é%/ß';
  return Array.from({ length: count }, () =>
    Array.from({ length: random.below(random.pick([4, 12, 56])) }, () =>
      random.pick([...(random.below(40) === 0 ? seldom : often)]),
    ).join(''),
  );
}
