// Random revisions with right and wrong downgrades: "as before" and "nothing is lost" are said exactly if they are true.
import fc from 'fast-check';
import { downgrade, upgrade } from '../../lambda/migrator/migrator.ts';
import { lossesOf } from '../../lambda/migrator/model/lost.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../setup/database.ts';
import { databaseOf } from '../setup/revisions.ts';
import { dumpSchema } from '../setup/schema-dump.ts';

/** Each makes a database: BACKSTOP_REVISIONS says how many. */
const RUNS = Number(process.env.BACKSTOP_REVISIONS ?? 8);

/** Tables of the same shape: each change has one of them to itself. */
const TABLES = ['t0', 't1', 't2', 't3'];
const ARRANGE = TABLES.map(
  (t) => `CREATE TABLE ${t} (id integer PRIMARY KEY, n integer NOT NULL, s text DEFAULT 'x', o integer);
    INSERT INTO ${t} SELECT i, i * 10, 'row ' || i FROM generate_series(1, 5) AS i;`,
).join('');

/** Changes of a table, each with the SQL that takes it back; some take no row back. */
const CHANGES: readonly (readonly [up: string, down: string])[] = [
  ['ALTER TABLE $t ADD c integer;', 'ALTER TABLE $t DROP c;'],
  ["ALTER TABLE $t ADD c text NOT NULL DEFAULT 'y';", 'ALTER TABLE $t DROP COLUMN c;'],
  ['CREATE TABLE $t_new AS SELECT * FROM $t;', 'DROP TABLE $t_new;'],
  ['CREATE INDEX $t_i ON $t (n);', 'DROP INDEX $t_i;'],
  ['ALTER TABLE $t ADD CONSTRAINT $t_c CHECK (n > 0);', 'ALTER TABLE $t DROP CONSTRAINT $t_c;'],
  ['ALTER TABLE $t ALTER n TYPE bigint;', 'ALTER TABLE $t ALTER n TYPE integer;'],
  [
    'ALTER TABLE $t ALTER s DROP DEFAULT, ALTER s TYPE integer USING length(s);',
    "ALTER TABLE $t ALTER s TYPE text USING s::text, ALTER s SET DEFAULT 'x';",
  ],
  ['ALTER TABLE $t ADD c integer; UPDATE $t SET c = n;', 'ALTER TABLE $t DROP c;'],
  ["ALTER TABLE $t ALTER s SET DEFAULT 'z';", "ALTER TABLE $t ALTER s SET DEFAULT 'x';"],
  ['ALTER TABLE $t ALTER n DROP NOT NULL;', 'ALTER TABLE $t ALTER n SET NOT NULL;'],
  ['CREATE VIEW $t_v AS SELECT n FROM $t;', 'DROP VIEW $t_v;'],
  ["CREATE TYPE $t_e AS ENUM ('a');", 'DROP TYPE $t_e;'],
  ["COMMENT ON TABLE $t IS 'a comment';", 'COMMENT ON TABLE $t IS NULL;'],
  ['GRANT SELECT ON $t TO PUBLIC;', 'REVOKE SELECT ON $t FROM PUBLIC;'],
  ['ALTER TABLE $t ENABLE ROW LEVEL SECURITY;', 'ALTER TABLE $t DISABLE ROW LEVEL SECURITY;'],
  ['CREATE SEQUENCE $t_s;', 'DROP SEQUENCE $t_s;'],
  ['ALTER TABLE $t ADD FOREIGN KEY (id) REFERENCES $t;', 'ALTER TABLE $t DROP CONSTRAINT $t_id_fkey;'],
  [
    "CREATE FUNCTION $t_f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER g BEFORE INSERT ON $t FOR EACH ROW EXECUTE FUNCTION $t_f();",
    'DROP TRIGGER g ON $t; DROP FUNCTION $t_f;',
  ],
  ['ALTER TABLE $t RENAME n TO m;', 'ALTER TABLE $t RENAME m TO n;'],
  ['ALTER TABLE $t RENAME TO $t_other;', 'ALTER TABLE $t_other RENAME TO $t;'],
  ['INSERT INTO $t SELECT 9, 90;', 'DELETE FROM $t WHERE id = 9;'],
  ["UPDATE $t SET s = 'other';", "UPDATE $t SET s = 'row ' || id;"],
  ["UPDATE $t SET s = 'other' WHERE id < 3;", 'SELECT 1;'],
  ['DELETE FROM $t WHERE id < 3;', 'SELECT 1;'],
  [
    'DELETE FROM $t WHERE id < 3;',
    "INSERT INTO $t SELECT i, i * 10, 'row ' || i FROM generate_series(1, 2) AS i;",
  ],
  ['TRUNCATE $t;', 'SELECT 1;'],
  ['DO $$ BEGIN DELETE FROM $t WHERE id = 5; END $$;', 'SELECT 1;'],
  ['DO $$ BEGIN TRUNCATE $t; END $$;', 'SELECT 1;'],
  [
    'DROP TABLE $t;',
    "CREATE TABLE $t (id integer PRIMARY KEY, n integer NOT NULL, s text DEFAULT 'x', o integer);",
  ],
  [
    'DO $$ BEGIN DROP TABLE $t; END $$;',
    "CREATE TABLE $t (id integer PRIMARY KEY, n integer NOT NULL, s text DEFAULT 'x', o integer);",
  ],
  ['ALTER TABLE $t DROP o;', 'ALTER TABLE $t ADD o integer;'],
  ['ALTER TABLE $t DROP s;', "ALTER TABLE $t ADD s text DEFAULT 'x';"],
  ["SELECT backstop.retire('public.$t');", "SELECT backstop.restore('public.$t');"],
  ["SELECT backstop.retire_column('public.$t', 's');", "SELECT backstop.restore_column('public.$t', 's');"],
];

/** The damage of a wrong downgrade. */
const DAMAGE = [
  '',
  'DELETE FROM $t WHERE id = 1;',
  'DO $$ BEGIN DELETE FROM $t WHERE id = 1; END $$;',
  'TRUNCATE $t;',
  'ALTER TABLE $t ALTER s DROP DEFAULT;',
  "UPDATE $t SET s = 'damaged' WHERE id = 2;",
  'CREATE TABLE $t_left ();',
  'ALTER TABLE $t DROP s;',
  "ALTER TABLE $t DROP s; ALTER TABLE $t ADD s text DEFAULT 'x';",
  "DROP TABLE $t; CREATE TABLE $t (id integer PRIMARY KEY, n integer NOT NULL, s text DEFAULT 'x', o integer);",
];

const change = fc.record({
  of: fc.nat(CHANGES.length - 1),
  isTakenBack: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
  damage: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.nat(DAMAGE.length - 1) },
  ),
});
const revision = fc.array(change, { minLength: 1, maxLength: TABLES.length });

/** All rows of the tables, as texts. */
async function rowsOf(database: TestDatabase): Promise<string[]> {
  const texts: string[] = [];
  for (const table of TABLES) {
    const asked = database.query(`SELECT to_jsonb(t) AS row FROM public.${table} AS t`);
    const rows = await asked.catch(() => []);
    texts.push(...rows.map(({ row }) => `${table} ${JSON.stringify(row)}`));
  }
  return texts;
}

const schemaOf = async (database: TestDatabase) => {
  const client = await database.connect('test');
  try {
    return await dumpSchema(client);
  } finally {
    await client.end();
  }
};

/** The lines that only one of the texts has. */
function differing(before: string, after: string): string[] {
  // The version table stays.
  const [old, now] = [before, after].map(
    (text) => new Set(text.split('\n').filter((line) => !line.includes('alembic_version'))),
  );
  return [...(old ?? [])]
    .filter((line) => !now?.has(line))
    .concat([...(now ?? [])].filter((line) => !old?.has(line)));
}

test('"as before" and "nothing is lost" are said exactly if they are true', async () => {
  await fc.assert(
    fc.asyncProperty(revision, async (changes) => {
      const database = await makeDatabase('empty', { extension: false });
      try {
        await database.query(ARRANGE);
        const named = (sql: string, at: number) => sql.replaceAll('$t', TABLES[at] ?? '');
        const up = changes.map(({ of }, at) => named(CHANGES[of]?.[0] ?? '', at));
        const down = changes.flatMap(({ of, isTakenBack, damage }, at) =>
          // Without the way back, the table may have another name.
          isTakenBack ? [named(CHANGES[of]?.[1] ?? '', at), named(DAMAGE[damage] ?? '', at)] : [],
        );
        const options = () =>
          migratorOn(database, {
            database: databaseOf({
              id: '001',
              upgrade: up,
              downgrade: [...down.filter((sql) => sql !== ''), 'SELECT 1;'],
            }),
          });
        const [schema, rows] = [await schemaOf(database), await rowsOf(database)];
        await upgrade(options(), 'head', { allowLoss: true });
        const report = await downgrade(options(), 'base');
        const differs = differing(schema, await schemaOf(database));
        const isSame = differs.length === 0;
        expect({ differs, ...report.comparison }).toMatchObject({ differs, same: isSame });
        const left = new Set(await rowsOf(database));
        const isKept = isSame && rows.every((row) => left.has(row));
        const isClaimed = report.comparison?.same === true && lossesOf(report).length === 0;
        // Rows that are written again with the same values count as overwritten: that is said, and no harm.
        if (!isKept) expect(isClaimed).toBe(false);
        const isPlain = changes.every(({ of, isTakenBack, damage }) => {
          return (
            isTakenBack &&
            damage === 0 &&
            !/UPDATE|DELETE|INSERT|TRUNCATE|DROP|TYPE/.test(CHANGES[of]?.[0] ?? '')
          );
        });
        if (isPlain && isKept) expect(isClaimed).toBe(true);
      } finally {
        await database.drop();
      }
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
}, 3_600_000);
