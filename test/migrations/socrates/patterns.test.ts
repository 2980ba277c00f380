// The checks prove the six design patterns: each knows everything that its pattern applies to, and finds every
// way in which the live schema can leave it.
import type pg from 'pg';
import { validate } from '../../../lambda/migrator/inspect.ts';
import { upgrade } from '../../../lambda/migrator/migrator.ts';
import type { TestDatabase } from '../../setup/database.ts';
import {
  CHAINS,
  COLUMNS,
  checksOf,
  findings,
  makeEmpty,
  migrator,
  rolledBack,
  socratesAuth,
  TABLES,
} from './databases.ts';

/** A table or one of its columns, a foreign key or index over them, or a function. */
interface Subject {
  readonly table_name: string;
  readonly function_name?: string;
  readonly column_name?: string;
  readonly column_names?: readonly string[];
  /** The name of the foreign key, or of the index. */
  readonly name?: string;
  /** The definition of the foreign key, without its ON DELETE clause. */
  readonly definition?: string;
}

interface Pattern {
  /** Asks the catalogue for everything that the pattern applies to. */
  readonly subjects: string;
  /** Fault → the SQL that causes it for one subject. */
  readonly broken: Readonly<Record<string, (subject: Subject) => string>>;
}

const column = ({ table_name, column_name }: Subject, change: string) =>
  `ALTER TABLE ${table_name} ALTER ${column_name} ${change}`;
const columnsWhere = (condition: string) =>
  `SELECT table_name, column_name FROM (${COLUMNS}) AS held WHERE ${condition}`;

const CROSSING = `type = 'uuid' AND column_name ~ '^(user_id|owner_id|invited_user_id|shared_with_user_id|(invited|shared)_by_id)$'
  AND to_regclass('public.users') IS NULL`;
const FOREIGN_KEYS = `
  SELECT table_name, column_name, conname::text AS name,
    regexp_replace(pg_get_constraintdef(oid), ' ON DELETE.*', '') AS definition
  FROM pg_constraint JOIN (${COLUMNS}) AS held ON attrelid = conrelid AND attnum = conkey[1]
  WHERE contype = 'f'`;
const KEYS = `column_name IN ('id', 'status') OR type LIKE 'timestamp%' OR (${CROSSING})
  OR (table_name, column_name) IN (SELECT table_name, column_name FROM (${FOREIGN_KEYS}) AS referring)`;
/** First columns of the indexes, but for those of unique constraints over more than one column. */
const INDEXED = `(attrelid, attnum) IN (
  SELECT indrelid, indkey[0] FROM pg_index WHERE NOT indisunique OR indnatts = 1
)`;

const replaceForeignKey = ({ table_name, name, definition }: Subject, ending: string) =>
  `ALTER TABLE ${table_name} DROP CONSTRAINT ${name}, ADD ${definition} ${ending}`;
/** Every index that begins with the column, whether a constraint owns it or not. */
const dropIndexes = ({ table_name, column_name }: Subject) => `
  DO $do$
  DECLARE found record;
  BEGIN
    FOR found IN
      SELECT indexrelid::regclass AS name, conname
      FROM pg_index
      JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
      LEFT JOIN pg_constraint ON conindid = indexrelid AND contype IN ('p', 'u')
      WHERE indrelid = '${table_name}'::regclass AND attname = '${column_name}'
    LOOP
      IF found.conname IS NULL THEN
        EXECUTE format('DROP INDEX %s', found.name);
      ELSE
        EXECUTE format('ALTER TABLE ${table_name} DROP CONSTRAINT %I CASCADE', found.conname);
      END IF;
    END LOOP;
  END
  $do$`;

const PATTERNS: Readonly<Record<string, Pattern>> = {
  'V1.1': {
    subjects: TABLES,
    broken: {
      'the server makes no id': ({ table_name }) => `ALTER TABLE ${table_name} ALTER id DROP DEFAULT`,
      'the id is no uuid': ({ table_name }) =>
        `ALTER TABLE ${table_name} RENAME id TO old_id; ALTER TABLE ${table_name} ADD id bigint NOT NULL`,
      'there is no such table': ({ table_name }) => `ALTER TABLE ${table_name} RENAME TO other_${table_name}`,
    },
  },
  'V1.2': {
    subjects: TABLES,
    broken: {
      'there is no primary key': ({ table_name }) =>
        `ALTER TABLE ${table_name} DROP CONSTRAINT ${table_name}_pkey CASCADE`,
      'the primary key is another': ({ table_name }) =>
        `ALTER TABLE ${table_name} DROP CONSTRAINT ${table_name}_pkey CASCADE, ADD PRIMARY KEY (id, created_at)`,
    },
  },
  'V2.1': {
    subjects: columnsWhere(`type LIKE 'timestamp%'`),
    broken: { 'a timestamp has no time zone': (subject) => column(subject, 'TYPE timestamp') },
  },
  'V2.2': {
    subjects: columnsWhere(`column_name IN ('created_at', 'updated_at')`),
    broken: {
      'the server sets no time': (subject) => column(subject, 'DROP DEFAULT'),
      'the time may be missing': (subject) => column(subject, 'DROP NOT NULL'),
    },
  },
  'V2.3': {
    subjects: `SELECT table_name FROM (${COLUMNS}) AS held WHERE column_name = 'updated_at'`,
    broken: {
      'there is no trigger': ({ table_name }) => `DROP TRIGGER set_updated_at ON ${table_name}`,
      'the trigger is off': ({ table_name }) => `ALTER TABLE ${table_name} DISABLE TRIGGER set_updated_at`,
      'the trigger comes too late': ({ table_name }) =>
        `CREATE OR REPLACE TRIGGER set_updated_at AFTER UPDATE ON ${table_name} FOR EACH ROW EXECUTE FUNCTION set_updated_at()`,
      'the trigger sees one column alone': ({ table_name }) =>
        `CREATE OR REPLACE TRIGGER set_updated_at BEFORE UPDATE OF id ON ${table_name} FOR EACH ROW EXECUTE FUNCTION set_updated_at()`,
    },
  },
  'V2.4': {
    subjects: `SELECT 'set_updated_at' AS function_name`,
    broken: {
      'the trigger function does nothing': () =>
        'CREATE OR REPLACE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$',
      'there is no trigger function': () => 'DROP FUNCTION set_updated_at CASCADE',
    },
  },
  'V3.1': {
    subjects: FOREIGN_KEYS,
    broken: {
      'there is no foreign key': ({ table_name, name }) =>
        `ALTER TABLE ${table_name} DROP CONSTRAINT ${name}`,
      'a foreign key does not say what a delete does': (subject) => replaceForeignKey(subject, ''),
      'a delete does something else': (subject) => replaceForeignKey(subject, 'ON DELETE SET DEFAULT'),
    },
  },
  'V4.1': {
    subjects: columnsWhere(CROSSING),
    broken: {
      'a reference is not documented': ({ table_name, column_name }) =>
        `COMMENT ON COLUMN ${table_name}.${column_name} IS NULL`,
      'a reference does not say that it crosses databases': ({ table_name, column_name }) =>
        `COMMENT ON COLUMN ${table_name}.${column_name} IS 'Reference to users.id'`,
    },
  },
  'V4.2': {
    subjects: columnsWhere(CROSSING),
    broken: {
      'a reference across databases has a foreign key': ({ table_name, column_name }) =>
        `ALTER TABLE ${table_name} ADD FOREIGN KEY (${column_name}) REFERENCES ${table_name} ON DELETE CASCADE`,
    },
  },
  'V5.1': {
    subjects: columnsWhere(`type IN ('json', 'jsonb')`),
    broken: {
      'there is no default': (subject) => column(subject, 'DROP DEFAULT'),
      'the default is another': (subject) => column(subject, `SET DEFAULT '[]'`),
      'the type is json': (subject) => column(subject, 'TYPE json'),
    },
  },
  'V6.1': {
    subjects: columnsWhere(KEYS),
    broken: { 'no index begins with the column': dropIndexes },
  },
  'V6.2': {
    subjects: columnsWhere(`${INDEXED} AND NOT (${KEYS})`),
    broken: { 'no index begins with the column': dropIndexes },
  },
  'V6.3': {
    subjects: `
      SELECT table_name, indexrelid::regclass::text AS name,
        ARRAY(SELECT attname::text FROM unnest(indkey) WITH ORDINALITY AS part (attnum, place)
          JOIN pg_attribute USING (attnum) WHERE attrelid = indrelid ORDER BY place) AS column_names
      FROM pg_index JOIN (${TABLES}) AS made ON indrelid = to_regclass(table_name)
      WHERE indnatts > 1 AND NOT indisunique`,
    broken: { 'there is no such index': ({ name }) => `DROP INDEX ${name}` },
  },
};

/** `table`, `table.column`, `table.column,column` or the function. */
const nameOf = (row: Subject | pg.QueryResultRow): string => {
  const { table_name, function_name, column_name, column_names } = row as Subject;
  return [table_name ?? function_name, column_name ?? column_names].filter(Boolean).join('.');
};

describe.each(CHAINS)('%s', (_, database) => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await makeEmpty();
    await upgrade(migrator(db, database), 'head');
  });
  afterAll(() => db.drop());

  const checks = checksOf(database, 'after-upgrade');
  const numbered = (id: string) => checks.filter((check) => check.id === id);
  const known = Object.keys(PATTERNS).filter((id) => numbered(id).length > 0);

  test('every check has a pattern that it must prove', () => {
    expect(new Set(checks.map(({ id }) => id))).toEqual(new Set(known));
  });

  test('at the head all checks of all revisions hold', () =>
    rolledBack(db, async (client) => {
      expect(await findings(client, checks)).toEqual({});
    }));

  test('they hold beside the tables and columns of others, whatever these look like', () =>
    rolledBack(db, async (client) => {
      const { rows } = await client.query<Subject>(TABLES);
      await client.query('CREATE TABLE of_others (id serial, at timestamp, status text, metadata json)');
      for (const { table_name } of rows)
        await client.query(
          `ALTER TABLE ${table_name} ADD due date, ADD state text, ADD extra jsonb, ADD other_id uuid REFERENCES ${table_name}`,
        );
      expect(await findings(client, checks)).toEqual({});
    }));

  test('they hold whatever the search path is', () =>
    rolledBack(db, async (client) => {
      await client.query(`SET search_path = ''`);
      expect(await findings(client, checks)).toEqual({});
    }));

  const cases = known.flatMap((id) =>
    Object.keys(PATTERNS[id]?.broken ?? {}).map((how) => [id, how] as const),
  );
  test.each(cases)('%s names every place where %s', (id, how) =>
    rolledBack(db, async (client) => {
      const { subjects, broken } = PATTERNS[id] as Pattern;
      const { rows } = await client.query<Subject>(subjects);
      for (const subject of rows) await client.query(broken[how]?.(subject) ?? '');
      const found = Object.values(await findings(client, numbered(id))).flat();
      expect(rows.length).toBeGreaterThan(0);
      expect(found.map(nameOf).sort()).toEqual(rows.map(nameOf).sort());
    }),
  );
});

test('a validation that fails names the check and the place', async () => {
  const db = await makeEmpty();
  const options = migrator(db, socratesAuth);
  await upgrade(options, 'head');
  await db.query(`ALTER TABLE admin_audit_logs ALTER changes DROP DEFAULT`);
  const { passed, checks } = await validate(options, 'after-upgrade', '002');
  expect(passed).toBe(false);
  expect(checks.filter((check) => !check.passed)).toMatchObject([
    {
      id: 'V5.1',
      title: "every flexible column is jsonb default '{}'",
      violations: 1,
      rows: [
        { table_name: 'admin_audit_logs', column_name: 'changes', data_type: 'jsonb', column_default: null },
      ],
    },
  ]);
  await db.drop();
});
