// Drift: a schema that somebody has changed since the last run is said, object by object, and refused if that is asked for.
import { inspect, plan } from '../../../../lambda/migrator/inspect.ts';
import { downgrade, upgrade } from '../../../../lambda/migrator/migrator.ts';
import { describeChanges } from '../../../../lambda/migrator/model/differences.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../../setup/database.ts';
import { databaseOf } from '../../../setup/revisions.ts';
import { hold } from '../../../setup/sessions.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
  await database.query('CREATE TABLE one (id integer)');
});
afterEach(() => database.drop());

const revisions = databaseOf(
  { id: '001', upgrade: ['CREATE TABLE two ();'], downgrade: ['DROP TABLE two;'] },
  { id: '002', revises: '001', upgrade: ['CREATE TABLE three ();'], downgrade: ['DROP TABLE three;'] },
);
const on = () => migratorOn(database, { database: revisions });
const drift = async () => {
  const { drift: found } = await inspect(on());
  return found && describeChanges(found);
};

test('before the first run it is not known', async () => {
  expect(await drift()).toBeUndefined();
});

test('without a change there is none, whatever rows were written', async () => {
  await upgrade(on(), '001');
  await database.query('INSERT INTO one SELECT 1; ANALYZE');
  expect(await drift()).toBeUndefined();
});

test('a run says what has changed since the last one, and goes on; then it is known', async () => {
  await upgrade(on(), '001');
  await database.query('ALTER TABLE one ALTER id TYPE bigint; CREATE INDEX by_hand ON one (id)');
  const words = 'column public.one.id changed: integer -> bigint; index public.by_hand added';
  expect(await drift()).toBe(words);
  expect((await plan(on(), 'upgrade', 'head')).drift?.changes).toHaveLength(2);
  const options = on();
  await upgrade(options, 'head');
  expect(options.events.filter(({ type }) => type === 'drifted')).toHaveLength(1);
  expect(await drift()).toBeUndefined();
});

test('strict, it is refused before anything is locked, and nothing is changed', async () => {
  await upgrade(on(), '001', { strict: true });
  await database.query('CREATE INDEX by_hand ON one (id)');
  await expect(upgrade(on(), 'head', { strict: true })).rejects.toMatchObject({
    name: 'Drifted',
    detail: 'index public.by_hand added\nNothing of the run is committed.',
  });
  expect((await inspect(on())).from).toBe('001');
  await database.query('DROP INDEX by_hand');
  await upgrade(on(), 'head', { strict: true });
});

test('a table that a session holds does not hang the question; strict, the run itself looks again', async () => {
  await database.query('ALTER TABLE one ADD n integer DEFAULT 1, ADD CHECK (n > 0)');
  await upgrade(on(), '001');
  await database.query('CREATE INDEX by_hand ON one (id)');
  const holder = await hold(database, 'LOCK TABLE one');
  expect([undefined, 'index public.by_hand added']).toContain(await drift());
  await holder.release();
  await expect(upgrade(on(), 'head', { strict: true })).rejects.toMatchObject({ name: 'Drifted' });
});

test('a downgrade says it, too', async () => {
  await upgrade(on(), 'head');
  await database.query('CREATE INDEX by_hand ON one (id)');
  const options = on();
  const report = await downgrade(options, '001');
  expect(options.events.some(({ type }) => type === 'drifted')).toBe(true);
  expect(report.comparison).toBeUndefined();
});
