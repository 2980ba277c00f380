// Stamp: it writes the version and a history row in one transaction, and replaces unknown versions only on purpose.
import { stamp, upgrade } from '../../../lambda/migrator/migrator.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../setup/database.ts';
import { databaseOf } from '../../setup/revisions.ts';
import { hold, pidRunning } from '../../setup/sessions.ts';

const chain = databaseOf(
  { id: '001', upgrade: ['CREATE TABLE one ();'] },
  { id: '002', revises: '001' },
  { id: '003', revises: '002' },
);

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterEach(() => database.drop());

const options = () => migratorOn(database, { database: chain });
const versions = async () =>
  (await database.query('SELECT version_num FROM alembic_version ORDER BY 1')).map(
    ({ version_num }) => version_num,
  );
const pretend = (...all: string[]) =>
  database.query(
    `CREATE TABLE alembic_version (version_num varchar(32) CONSTRAINT alembic_version_pkc PRIMARY KEY);
     INSERT INTO alembic_version VALUES ${all.map((version) => `('${version}')`).join(', ')}`,
  );

test('forward, back, relative and to base, without a step of a revision', async () => {
  for (const [target, from, to, left] of [
    ['002', 'base', '002', ['002']],
    ['+1', '002', '003', ['003']],
    ['-2', '003', '001', ['001']],
    ['head', '001', '003', ['003']],
    ['base', '003', 'base', []],
  ] as const) {
    const report = await stamp(options(), target);
    expect(report).toMatchObject({ direction: 'stamp', outcome: 'stamped', from, to, steps: [] });
    expect(await versions()).toEqual(left);
  }
  expect(await database.query("SELECT to_regclass('one') AS one")).toEqual([{ one: null }]);
});

test('a stamp of the current revision does nothing and leaves no history', async () => {
  await upgrade(options(), '001');
  expect(await stamp(options(), '001')).toMatchObject({ outcome: 'nothing to do', from: '001', to: '001' });
  expect(await database.query('SELECT direction FROM backstop.history')).toEqual([{ direction: 'upgrade' }]);
});

test('the history has it as a stamp, without the checksum of an applied revision', async () => {
  await stamp(options(), '002');
  expect(
    await database.query(
      'SELECT direction, from_revision, to_revision, outcome, checksums FROM backstop.history',
    ),
  ).toEqual([
    { direction: 'stamp', from_revision: 'base', to_revision: '002', outcome: 'stamped', checksums: {} },
  ]);
});

describe.each([
  ['an unknown version', ['zzz']],
  ['two versions', ['001', '003']],
])('over %s', (_what, before) => {
  beforeEach(() => pretend(...before));

  test('is refused without purge', async () => {
    await expect(stamp(options(), '002')).rejects.toMatchObject({ name: 'UnknownRevision' });
    expect(await versions()).toEqual(before);
  });

  test.each([
    ['002', ['002']],
    ['base', []],
  ])('to %s leaves nothing else', async (target, left) => {
    const report = await stamp(options(), target, { purge: true });
    expect(report).toMatchObject({ outcome: 'stamped', from: before.join(', '), to: target });
    expect(await versions()).toEqual(left);
  });

  test('an invalid target is refused, and the versions stay', async () => {
    await expect(stamp(options(), 'nope', { purge: true })).rejects.toMatchObject({
      name: 'UnknownRevision',
    });
    expect(await versions()).toEqual(before);
  });
});

test('purge does no harm if there is nothing to purge', async () => {
  await stamp(options(), '002', { purge: true });
  expect(await versions()).toEqual(['002']);
  expect(await stamp(options(), '002', { purge: true })).toMatchObject({ outcome: 'nothing to do' });
});

test('a version that somebody else writes meanwhile is not written over', async () => {
  await pretend('001');
  const holder = await hold(database, "UPDATE alembic_version SET version_num = '002'");
  const stamping = stamp(options(), '003');
  const refused = expect(stamping).rejects.toMatchObject({
    name: 'MigrationFailed',
    summary: 'The version of the database changed while 003 ran',
  });
  await pidRunning(database, 'LOCK TABLE');
  await holder.client.query('COMMIT');
  await holder.release();
  await refused;
  expect(await versions()).toEqual(['002']);
});
