// A server that speaks another language: every run ends as it does with a server that speaks English.
import { upgrade } from '../../../lambda/migrator/migrator.ts';
import { DEFAULT_BOUNDS } from '../../../lambda/migrator/model/bounds.ts';
import { describeEvent } from '../../../lambda/migrator/model/describe.ts';
import { BackstopError } from '../../../lambda/migrator/model/errors.ts';
import { connectorTo } from '../../../lambda/migrator/session/connection.ts';
import type { ConnectionSettings } from '../../../lambda/migrator/session/settings.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../setup/database.ts';
import { type NetworkProxy, startProxy } from '../../setup/proxy.ts';
import { databaseOf, type RevisionDraft } from '../../setup/revisions.ts';
import { translated } from '../../setup/translation.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterEach(() => database.drop());

/** The English and the translated way to the same server. */
const LANGUAGES = { English: () => ({}), another: translated };

/** Runs the revisions in both languages, and returns the name of the ending and where it is, in each. */
async function endings(
  draft: Omit<RevisionDraft, 'id'>,
  settings: (proxy: NetworkProxy) => ConnectionSettings = (proxy) => proxy.settings,
  bounds = DEFAULT_BOUNDS,
) {
  const found = [];
  for (const disturb of Object.values(LANGUAGES)) {
    const proxy = await startProxy(database.settings, disturb);
    const connect = connectorTo(settings(proxy));
    const options = { connect, database: databaseOf({ id: '001', ...draft }), bounds };
    const ended = await upgrade(migratorOn(database, options), 'head').then(
      ({ outcome }) => ({ outcome }),
      (error: unknown) => {
        if (!(error instanceof BackstopError)) throw error;
        return { name: error.name, hint: error.hint, location: error.location };
      },
    );
    await proxy.stop();
    found.push(ended);
  }
  return found;
}

const raise = (code: string) =>
  `DO $$BEGIN\n  RAISE EXCEPTION 'rows are in the way' USING ERRCODE = '${code}', HINT = 'Remove them.';\nEND$$;`;

test.each<[what: string, ending: string, ...Parameters<typeof endings>]>([
  ['a refusal of the revision', 'MigrationRefused', { upgrade: [raise('23503')] }],
  ['a wrong statement', 'MigrationFailed', { upgrade: ['SELECT 1;\nSELECT missing;'] }],
  [
    'an error within a DO statement',
    'MigrationFailed',
    { upgrade: ['DO $$BEGIN\n  PERFORM 1;\n  PERFORM 1 / 0;\nEND$$;'] },
  ],
  [
    'a lock that is not granted',
    'DatabaseBusy',
    { upgrade: [raise('55P03')] },
    undefined,
    { ...DEFAULT_BOUNDS, lockWaitMs: 1 },
  ],
  [
    'a run that takes too long',
    'MigrationTimeout',
    { upgrade: ['SELECT pg_sleep(30);'] },
    undefined,
    { ...DEFAULT_BOUNDS, transactionMs: 700 },
  ],
  [
    'a session that is ended',
    'MigrationFailed',
    { upgrade: ['SELECT pg_terminate_backend(pg_backend_pid());'] },
  ],
  ['a wrong password', 'CredentialsRejected', {}, ({ settings }) => ({ ...settings, password: 'sesame-42' })],
  ['an unknown database', 'DatabaseNotFound', {}, ({ settings }) => ({ ...settings, database: 'nowhere' })],
])('%s ends as %s in every language', async (_what, ending, ...given) => {
  const [english, other] = await endings(...given);
  expect(english).toMatchObject({ name: ending });
  expect(other).toEqual({ ...english, hint: expect.any(String) });
});

test('notices have the severity that PostgreSQL gave them, and the result of a step is printed', async () => {
  const proxy = await startProxy(database.settings, translated);
  const sql = `DO $$BEGIN
    RAISE NOTICE 'on the way'; RAISE WARNING 'careful'; RAISE INFO 'three rows';
  END$$;`;
  const migrator = migratorOn(database, {
    connect: connectorTo(proxy.settings),
    database: databaseOf({ id: '001', upgrade: [sql] }),
  });
  const { steps } = await upgrade(migrator, 'head').finally(() => proxy.stop());
  expect(steps[0]?.notices).toEqual([
    { severity: 'NOTICE', message: 'on the way' },
    { severity: 'WARNING', message: 'careful' },
    { severity: 'INFO', message: 'three rows' },
  ]);
  const lines = migrator.events.map(describeEvent);
  expect(lines).toEqual(expect.arrayContaining([expect.stringMatching(/done in .*: three rows$/)]));
  expect(lines).not.toContain('INFO: three rows');
});

test('a lost answer to COMMIT is asked for in every language', async () => {
  const proxy = await startProxy(database.settings, ({ cut }) => {
    const { toClient } = translated();
    let isSent = false;
    return {
      toServer(bytes) {
        isSent ||= bytes.includes('COMMIT\0');
        return bytes;
      },
      toClient(bytes) {
        if (isSent) cut();
        return isSent ? undefined : toClient?.(bytes);
      },
    };
  });
  const options = { connect: connectorTo(proxy.settings), database: databaseOf({ id: '001' }) };
  const run = upgrade(migratorOn(database, options), 'head').finally(() => proxy.stop());
  await expect(run).resolves.toMatchObject({ outcome: 'upgraded' });
});

test('a server that refuses a connection without TLS does not end as a server that refuses the user', async () => {
  const fields = (code: string, routine: string) =>
    ['SFATAL', 'VFATAL', `C${code}`, 'Motras palabras', `R${routine}`].map((field) => `${field}\0`).join('');
  const answer = async (routine: string) => {
    const body = Buffer.from(`${fields('28000', routine)}\0`);
    const header = Buffer.from('E\0\0\0\0');
    header.writeInt32BE(body.length + 4, 1);
    const proxy = await startProxy(database.settings, () => ({
      toClient: () => Buffer.concat([header, body]),
    }));
    const error = await connectorTo(proxy.settings)('test').catch((reason: unknown) => reason);
    await proxy.stop();
    return error;
  };
  expect(await answer('ClientAuthentication')).toMatchObject({ name: 'ConfigurationError' });
  expect(await answer('InitializeSessionUserId')).toMatchObject({ name: 'CredentialsRejected' });
});
