// The statements that a run prepares: they are planned before tables are locked, and a step may take them away.
import { readFingerprint } from '../../../../lambda/migrator/database/fingerprint.ts';
import { upgrade } from '../../../../lambda/migrator/migrator.ts';
import { type Connect, connectorTo } from '../../../../lambda/migrator/session/connection.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../../setup/database.ts';
import { databaseOf } from '../../../setup/revisions.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
  await database.query('CREATE TABLE public.one (id integer);');
});
afterEach(() => database.drop());

/** Runs one step under a lock, and tells which statements went before it and after it. */
async function runStep(
  sql: string,
): Promise<{ before: string[]; after: string[]; hash: string | undefined }> {
  const sent: string[] = [];
  const connect: Connect = async (name) => {
    const client = await connectorTo(database.settings)(name);
    const query = client.query.bind(client) as (...asked: unknown[]) => Promise<unknown>;
    const recorded = (...asked: unknown[]) => {
      sent.push(String(asked[0]));
      return query(...asked);
    };
    return Object.assign(client, { query: recorded });
  };
  const chain = databaseOf({ id: '001', locks: 'public.one', upgrade: [sql] });
  const report = await upgrade({ ...migratorOn(database, { database: chain }), connect }, 'head');
  /** PREPARE and EXECUTE of the run's own statements, each once in a row. */
  const words = (part: readonly string[]) =>
    part
      .flatMap((text) => /\b(PREPARE|EXECUTE) backstop_/.exec(text)?.[1] ?? [])
      .filter((word, index, all) => word !== all[index - 1]);
  const at = sent.findIndex((text) => text.startsWith('LOCK TABLE public.one'));
  return { before: words(sent.slice(0, at)), after: words(sent.slice(at)), hash: report.fingerprint?.after };
}

test('nothing is prepared while tables are locked', async () => {
  expect(await runStep('ALTER TABLE public.one ADD note text;')).toMatchObject({
    before: ['PREPARE', 'EXECUTE', 'PREPARE', 'EXECUTE'],
    after: ['EXECUTE'],
  });
});

test('a step that takes all statements away takes nothing from the fingerprint', async () => {
  const { after, hash } = await runStep('ALTER TABLE public.one ADD note text; DEALLOCATE ALL;');
  expect(after).toEqual(['EXECUTE', 'PREPARE', 'EXECUTE', 'PREPARE', 'EXECUTE']);
  const client = await database.connect('reader');
  expect(hash).toBe(await readFingerprint(client));
  await client.end();
});

test('the statements of a step are gone after its revision', async () => {
  const steps = ['PREPARE mine AS SELECT 1;', 'EXECUTE mine;'];
  const chain = databaseOf(
    { id: '001', upgrade: steps },
    { id: '002', revises: '001', upgrade: ['EXECUTE mine;'] },
  );
  await expect(upgrade(migratorOn(database, { database: chain }), 'head')).rejects.toMatchObject({
    name: 'MigrationFailed',
    summary: expect.stringMatching(/"mine" does not exist/),
  });
});

test('a run in several transactions prepares its own statements once', async () => {
  const chain = databaseOf(
    { id: '001', upgrade: ['CREATE TABLE public.two ();'], endsTransaction: ['upgrade'] },
    { id: '002', revises: '001', upgrade: ['CREATE TABLE public.three ();'] },
  );
  const report = await upgrade(migratorOn(database, { database: chain }), 'head');
  expect(report.to).toBe('002');
  const client = await database.connect('reader');
  expect(report.fingerprint?.after).toBe(await readFingerprint(client));
  await client.end();
});
