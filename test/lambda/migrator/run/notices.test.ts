// The notices of a step: those of the revision and of the server stay, those of functions of others are only counted.
import { upgrade } from '../../../../lambda/migrator/migrator.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../../setup/database.ts';
import { databaseOf } from '../../../setup/revisions.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterAll(() => database.drop());

test('a trigger can neither show rows nor imitate the result of a step in a notice', async () => {
  await database.query(`
    CREATE TABLE person (mail text);
    CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
      RAISE NOTICE 'sesame %', NEW.mail; RAISE INFO 'All rows copied'; RETURN NEW; END$$;
    CREATE TRIGGER guard BEFORE INSERT ON person FOR EACH ROW EXECUTE FUNCTION guard();
    CREATE FUNCTION shout() RETURNS void LANGUAGE plpgsql AS $$BEGIN RAISE WARNING 'sesame'; END$$;`);
  const upgrades = [
    `DO $$BEGIN
      RAISE NOTICE 'one'; INSERT INTO person VALUES ('sesame'); PERFORM shout(); RAISE INFO 'done';
      CREATE TABLE IF NOT EXISTS person ();
    END$$;
    DROP TABLE IF EXISTS missing_table;`,
    `CREATE FUNCTION own() RETURNS void LANGUAGE plpgsql AS $$BEGIN RAISE NOTICE 'own'; END$$; SELECT own();`,
  ];
  const migrator = migratorOn(database, { database: databaseOf({ id: '001', upgrade: upgrades }) });
  const { steps } = await upgrade(migrator, 'head');
  expect(steps.map(({ notices }) => notices)).toEqual([
    [
      { severity: 'NOTICE', message: 'one' },
      { severity: 'INFO', message: 'done' },
      { severity: 'NOTICE', message: 'relation "person" already exists, skipping' },
      { severity: 'NOTICE', message: 'table "missing_table" does not exist, skipping' },
      { severity: 'NOTICE', message: 'The function guard sent 2 notices, which are not printed' },
      { severity: 'NOTICE', message: 'The function shout sent 1 notice, which is not printed' },
    ],
    [{ severity: 'NOTICE', message: 'own' }],
  ]);
  expect(JSON.stringify(migrator.events)).not.toContain('sesame');
});
