// The verbs: their refusals, their reports, and the database after each of them.

import { plan, reconcile, validate } from '../../../lambda/migrator/inspect.ts';
import { downgrade, finalize, upgrade } from '../../../lambda/migrator/migrator.ts';
import { connectorTo } from '../../../lambda/migrator/session/connection.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../setup/database.ts';
import { startProxy } from '../../setup/proxy.ts';
import { databaseOf } from '../../setup/revisions.ts';
import { expectNothingLeft } from '../../setup/sessions.ts';

let database: TestDatabase;
afterEach(async () => {
  await expectNothingLeft(database);
  await database.drop();
});

describe('a server that does not fit is refused before anything is read', () => {
  beforeEach(async () => {
    database = await makeDatabase('empty', { extension: false });
  });

  test('because it is too old', async () => {
    const [version] = await database.query("SELECT current_setting('server_version_num') AS number");
    const older = await startProxy(database.settings, () => ({
      toClient: (bytes) => Buffer.from(bytes.toString('latin1').replace(version?.number, '130004'), 'latin1'),
    }));
    const run = upgrade(migratorOn({ connect: connectorTo(older.settings) }), 'head');
    await expect(run).rejects.toMatchObject({
      name: 'ServerTooOld',
      summary: expect.stringMatching(/^PostgreSQL \d.* is too old$/),
      hint: 'Upgrade the server to PostgreSQL 14 or later.',
    });
    await older.stop();
  });

  test('because an extension is missing', async () => {
    await expect(plan(migratorOn(database), 'upgrade', 'head')).rejects.toMatchObject({
      name: 'ExtensionMissing',
      summary: 'The database lacks the extension "vector"',
      hint: 'CREATE EXTENSION vector;',
    });
  });
});

describe('a chain of three', () => {
  const chain = databaseOf(
    { id: '001', upgrade: ['CREATE TABLE one ();'], downgrade: ['DROP TABLE one;'] },
    { id: '002', revises: '001', upgrade: ['CREATE TABLE two ();'], downgrade: ['DROP TABLE two;'] },
    { id: '003', revises: '002' },
  );
  const options = () => migratorOn(database, { database: chain });
  beforeEach(async () => {
    database = await makeDatabase('empty', { extension: false });
    await upgrade(options(), '002');
  });

  test.each<['upgrade' | 'downgrade', target: string, to: string, pending: string[]]>([
    ['upgrade', 'head', '003', ['003']],
    ['upgrade', '+1', '003', ['003']],
    ['upgrade', '002', '002', []],
    ['upgrade', '+0', '002', []],
    ['downgrade', 'base', 'base', ['002', '001']],
    ['downgrade', '-1', '001', ['002']],
    ['downgrade', '002', '002', []],
  ])('%s to %s plans what is in between', async (direction, target, to, pending) => {
    const { events, ...rest } = options();
    expect(await plan(rest, direction, target)).toMatchObject({ direction, from: '002', to, pending });
    const estimated = pending.length > 0 ? ['estimated'] : [];
    expect(events.map(({ type }) => type)).toEqual(['connected', 'planned', ...estimated]);
  });

  test.each<['upgrade' | 'downgrade', string, RegExp]>([
    ['upgrade', '001', /^To go there, downgrade to 001\.$/],
    ['downgrade', 'head', /^To go there, upgrade to 003\.$/],
  ])('%s to %s is refused, with the other direction', async (direction, target, hint) => {
    const refusal = { name: 'InvalidInput', hint: expect.stringMatching(hint) };
    await expect(plan(options(), direction, target)).rejects.toMatchObject(refusal);
    await expect({ upgrade, downgrade }[direction](options(), target)).rejects.toMatchObject(refusal);
  });

  test('downgrades one by one, the last first, in one transaction', async () => {
    const report = await downgrade(options(), 'base');
    expect(report).toMatchObject({
      direction: 'downgrade',
      outcome: 'downgraded',
      from: '002',
      to: 'base',
      revisions: ['002', '001'],
      dropped: ['public.one', 'public.two'],
    });
    expect((await reconcile(options())).revision).toBe('base');
  });

  test('a database at its target has nothing to do, in every direction', async () => {
    for (const act of [upgrade, downgrade]) {
      expect(await act(options(), '002')).toMatchObject({ outcome: 'nothing to do', from: '002', to: '002' });
    }
    expect(await finalize(options())).toMatchObject({ direction: 'finalize', outcome: 'nothing to do' });
  });

  test('an execution that asks twice gets the report of its run', async () => {
    const execution = (name: string) => ({ ...options(), execution: name });
    const { durationMs: _, exclusiveMs: __, ...report } = await upgrade(execution('one'), 'head');
    expect(report).toMatchObject({ outcome: 'upgraded', revisions: ['003'] });
    expect(await upgrade(execution('one'), 'head')).toMatchObject(report);
    expect(await upgrade(execution('two'), 'head')).toMatchObject({ outcome: 'nothing to do' });
    expect((await reconcile(execution('one'))).upgrade).toMatchObject(report);
    expect((await reconcile(execution('two'))).upgrade).toBeUndefined();
  });

  test('a dry run tells all that a run would, and does nothing', async () => {
    const report = await downgrade(options(), 'base', { dryRun: true });
    expect(report).toMatchObject({
      outcome: 'rehearsed',
      revisions: ['002', '001'],
      dropped: ['public.one', 'public.two'],
    });
    expect((await reconcile(options())).revision).toBe('002');
    expect(await database.query("SELECT to_regclass('one')::text AS one")).toEqual([{ one: 'one' }]);
  });
});

test('002 and back: every verdict, and the tables left to finalize', async () => {
  database = await makeDatabase('at005');
  const options = migratorOn(database);
  const verdict = async (phase: Parameters<typeof validate>[1]) => {
    const { revision, passed, checks } = await validate(options, phase);
    return [revision, passed, checks.length];
  };

  expect(await verdict('before-upgrade')).toEqual(['002', true, 1]);
  await upgrade(options, 'head');
  expect(await verdict('after-upgrade')).toEqual(['002', true, 15]);
  expect(await plan(options, 'upgrade', 'head')).toMatchObject({ pending: [], finalizePending: ['002'] });

  await downgrade(options, '-1');
  expect(await verdict('after-downgrade')).toEqual(['002', true, 5]);
  expect(await plan(options, 'upgrade', 'head')).toMatchObject({ pending: ['002'], finalizePending: [] });

  await upgrade(options, 'head');
  expect(await finalize(options)).toMatchObject({ outcome: 'finalized', from: '002', to: '002' });
  expect(await plan(options, 'upgrade', 'head')).toMatchObject({ pending: [], finalizePending: [] });
  expect(await finalize(options)).toMatchObject({ outcome: 'nothing to do' });
});
