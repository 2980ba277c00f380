// Scenario 6 of the quickstart: which values the constraints in the database accept as a project_id.
import * as fc from 'fast-check';
import { makeDatabase, type TestDatabase } from '../setup/database.ts';
import { expectOutput } from './golden.ts';
import { backstop, SUCCESS } from './program.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await makeDatabase('empty');
});
afterAll(() => db.drop());

const TABLES = ['repositories', 'code_chunks'] as const;
type Table = (typeof TABLES)[number];

/** A row with the project_id `value`, an SQL expression. */
const insertInto: Readonly<Record<Table, (value: string) => string>> = {
  repositories: (value) =>
    `INSERT INTO repositories (path, project_id, indexed_at) VALUES (gen_random_uuid()::text, ${value}, NOW())`,
  code_chunks: (value) =>
    `INSERT INTO code_chunks (code_file_id, content, start_line, end_line, project_id)
     SELECT id, '', 1, 1, ${value} FROM code_files LIMIT 1`,
};

/**
 * Inserts each value after a separate savepoint, all in one round trip, and rolls all of them back.
 *
 * @returns for each value whether the table had a row with it before the rollback
 */
async function judge(table: Table, values: readonly string[]): Promise<boolean[]> {
  const rows = await db.query('SELECT accepted FROM judge($1, $2)', [insertInto[table]('$1'), values]);
  return rows.map(({ accepted }) => accepted);
}

/** PostgreSQL cuts excess blanks when a value is written to a varchar: the stored value is then another one. */
const JUDGE = `
  CREATE FUNCTION judge(statement text, candidates text[]) RETURNS TABLE (accepted boolean) LANGUAGE plpgsql AS $do$
  DECLARE
    candidate text;
    violated text;
  BEGIN
    FOREACH candidate IN ARRAY candidates LOOP
      BEGIN
        EXECUTE statement || ' RETURNING project_id = $1' INTO accepted USING candidate;
        RAISE EXCEPTION USING ERRCODE = 'BS001';
      EXCEPTION
        WHEN SQLSTATE 'BS001' THEN NULL;
        WHEN string_data_right_truncation THEN accepted := false;
        WHEN check_violation THEN
          GET STACKED DIAGNOSTICS violated = CONSTRAINT_NAME;
          IF violated NOT IN ('check_repositories_project_id', 'check_code_chunks_project_id') THEN
            RAISE;
          END IF;
          accepted := false;
      END;
      RETURN NEXT;
    END LOOP;
  END
  $do$`;

describe('Scenario 6: Validation Test', () => {
  test('Step 6.1: Apply Migration', async () => {
    expect(await backstop(db, 'upgrade', 'head')).toMatchObject(SUCCESS);
    expectOutput((await backstop(db, 'current')).stdout, 'specified/current');
  });

  test('Step 6.2: Test Valid Insertions', async () => {
    await db.query(`
      INSERT INTO repositories (path, project_id, indexed_at) VALUES
        ('/test/repo1', 'default', NOW()),
        ('/test/repo2', 'my-project', NOW()),
        ('/test/repo3', 'proj-123', NOW()),
        ('/test/repo4', 'a', NOW()), -- minimum length
        ('/test/repo5', 'a-very-long-project-name-with-exactly-fifty-ch', NOW()) -- max length`);
    const rows = await db.query('SELECT project_id FROM repositories ORDER BY path');
    expect(rows.map(({ project_id }) => project_id)).toEqual([
      'default',
      'my-project',
      'proj-123',
      'a',
      // This name has 46 characters, although it says fifty; the names of 50 are in appendix C.
      'a-very-long-project-name-with-exactly-fifty-ch',
    ]);
  });

  describe('Step 6.3: Test Invalid Patterns (FR-026)', () => {
    test.each([
      ['Test 1: Uppercase letters', 'My-Project'],
      ['Test 2: Underscore', 'my_project'],
      ['Test 3: Space', 'my project'],
      ['Test 4: Leading hyphen', '-my-project'],
      ['Test 5: Trailing hyphen', 'my-project-'],
      ['Test 6: Empty string', ''],
      ['Test 8: SQL injection attempt', "'; DROP TABLE repositories; --"],
      ['Test 9: Path traversal attempt', '../../../etc/passwd'],
      ['Test 10: Special characters', 'project@#$%'],
    ])('%s', async (_, value) => {
      await expect(db.query(insertInto.repositories('$1'), [value])).rejects.toMatchObject({
        message:
          'new row for relation "repositories" violates check constraint "check_repositories_project_id"',
        constraint: 'check_repositories_project_id',
        detail: expect.stringContaining(`, ${value}).`),
      });
    });

    // The type is asked before the constraint.
    test('Test 7: Exceeds 50 characters', async () => {
      const value = 'this-is-a-very-long-project-name-that-exceeds-fifty-characters-limit';
      await expect(db.query(insertInto.repositories('$1'), [value])).rejects.toMatchObject({
        message: 'value too long for type character varying(50)',
      });
    });
  });
});

describe.each(TABLES)('Appendix C, for %s', (table) => {
  beforeAll(async () => {
    await db.query(`
      DROP FUNCTION IF EXISTS judge; ${JUDGE};
      INSERT INTO code_files (repository_id, path) SELECT id, gen_random_uuid()::text FROM repositories LIMIT 1`);
  });

  const valid = [
    'default',
    'my-project',
    'project-123',
    'a',
    'test-2025-q1',
    'fifty-character-project-name-that-is-exactly-fifty',
  ];
  const invalid = [
    'My-Project',
    'my_project',
    'my project',
    '-project',
    'project-',
    'my--project',
    '',
    '51-character-project-name-that-exceeds-the-fifty-char-limit',
    "'; DROP TABLE--",
    '../../../etc',
  ];

  test.each(valid)('%j is valid', async (value) => {
    expect(await judge(table, [value])).toEqual([true]);
  });

  test.each(invalid)('%j is invalid', async (value) => {
    expect(await judge(table, [value])).toEqual([false]);
  });

  test('a value is accepted if and only if FR-009 to FR-012 allow it', async () => {
    const verdicts = new Map<boolean, number>([
      [true, 0],
      [false, 0],
    ]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(projectIds, { minLength: 1, maxLength: 500, size: 'max' }),
        async (values) => {
          const expected = values.map(isProjectId);
          expect(pairs(values, await judge(table, values))).toEqual(pairs(values, expected));
          for (const verdict of expected) verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
        },
      ),
      { numRuns: 30, examples: [[EDGES]] },
    );
    for (const count of verdicts.values()) expect(count).toBeGreaterThan(500);
  });
});

/** 1 to 50 of `a-z0-9-`, without a leading, trailing or double hyphen. */
function isProjectId(value: string): boolean {
  const allowed = [...value].every((character) =>
    'abcdefghijklmnopqrstuvwxyz0123456789-'.includes(character),
  );
  return (
    allowed &&
    value.length >= 1 &&
    value.length <= 50 &&
    !value.startsWith('-') &&
    !value.endsWith('-') &&
    !value.includes('--')
  );
}

const EDGES = [
  'a'.repeat(50),
  'a'.repeat(51),
  `${'a'.repeat(50)} `,
  `${'a'.repeat(49)}-`,
  '-',
  'a\n',
  '\n',
  'default\n',
];

const pairs = (values: readonly string[], verdicts: readonly boolean[]) =>
  values.map((value, index) => [value, verdicts[index]]);

const letters = fc.constantFrom(...'abcxyz0189');
const words = fc
  .array(fc.string({ unit: letters, minLength: 1, maxLength: 14 }), { minLength: 1, maxLength: 8 })
  .map((each) => each.join('-'));
/** Any character but NUL, which no text of PostgreSQL has. */
const characters = fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).filter((one) => one !== '\0');

/** Valid ids, ids that a single character makes invalid, and anything else. */
const projectIds = fc.oneof(
  words,
  fc.string({ unit: fc.constantFrom(...'ab0-'), maxLength: 8 }),
  fc
    .tuple(words, fc.oneof(characters, fc.constantFrom('-', '_', ' ', 'A', 'é', '\n')), fc.nat())
    .map(([word, character, place]) => {
      const at = place % (word.length + 1);
      return word.slice(0, at) + character + word.slice(at);
    }),
  fc.array(characters, { maxLength: 60 }).map((each) => each.join('')),
);
