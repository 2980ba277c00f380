// Prepared transactions: they block like sessions, and no session shows them.
import { upgrade } from '../../../../lambda/migrator/migrator.ts';
import { DEFAULT_BOUNDS } from '../../../../lambda/migrator/model/bounds.ts';
import { connectorTo } from '../../../../lambda/migrator/session/connection.ts';
import { withClient } from '../../../../lib/twin/server/client.ts';
import { startEmbedded } from '../../../../lib/twin/server/embedded.ts';
import type { LocalServer } from '../../../../lib/twin/server.ts';
import { addressOf } from '../../../../lib/twin/twin.ts';
import { migratorOn } from '../../../setup/database.ts';
import { databaseOf } from '../../../setup/revisions.ts';

let server: LocalServer;
beforeAll(async () => {
  server = await startEmbedded({ settings: ['max_prepared_transactions=2'] });
  await run('CREATE TABLE one (id integer)', 'INSERT INTO one VALUES (1)');
});
afterAll(() => server.stop());

const run = (...statements: string[]) =>
  withClient(server, 'postgres', async (client) => {
    for (const statement of statements) await client.query(statement);
  });

test.each([
  ['a lock of the table', 'SELECT FROM one', "it''s"],
  ['a row', 'UPDATE one SET id = 2', String.raw`a\b ''quoted''`],
])(
  'a prepared transaction that holds %s is named, with the statement that ends it',
  async (_what, holding, gid) => {
    await run('BEGIN', holding, `PREPARE TRANSACTION '${gid}'`);
    const { user, password } = server;
    const connect = connectorTo({ ...addressOf(server, 'postgres'), user, password });
    const database = databaseOf({
      id: '001',
      upgrade: ['UPDATE one SET id = 3;', 'LOCK TABLE one IN ACCESS EXCLUSIVE MODE;'],
    });
    const bounds = { ...DEFAULT_BOUNDS, lockTimeoutMs: 1_000, lockWaitMs: 1_000 };
    const error = await upgrade(migratorOn({ connect }, { database, bounds }), 'head').catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({
      name: 'DatabaseBusy',
      detail: expect.stringMatching(
        /^Blocked by prepared transaction E?'.*' of postgres since \S+: holds public\.one$/,
      ),
      hint: expect.stringMatching(/ROLLBACK PREPARED E?'.*'; then run again\.$/),
    });
    const [, remedy = ''] = /(ROLLBACK PREPARED .*;) then/.exec((error as { hint: string }).hint) ?? [];
    await run(remedy);
  },
);
