// COMMIT and the truth about it: whatever happens to the network, the report says what is in the database.
import { randomUUID } from 'node:crypto';
import { upgrade } from '../../../../lambda/migrator/migrator.ts';
import { DEFAULT_BOUNDS } from '../../../../lambda/migrator/model/bounds.ts';
import { commit } from '../../../../lambda/migrator/run/commit.ts';
import { connectorTo } from '../../../../lambda/migrator/session/connection.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../../setup/database.ts';
import { type Disturbance, type NetworkProxy, startProxy } from '../../../setup/proxy.ts';
import { databaseOf } from '../../../setup/revisions.ts';
import { expectNothingLeft } from '../../../setup/sessions.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterEach(async () => {
  await expectNothingLeft(database);
  await database.drop();
});

const CREATE = 'CREATE TABLE one (id integer);';
const isThere = async () => {
  const [row] = await database.query("SELECT to_regclass('public.one') IS NOT NULL AS there");
  return row?.there as boolean;
};
const outcomes = () => database.query('SELECT outcome FROM backstop.history');

/** Upgrades through a network that is disturbed when COMMIT is sent. */
async function upgradeThrough(disturb: (proxy: NetworkProxy) => Disturbance) {
  const proxy = await startProxy(database.settings, disturb);
  const run = upgrade(
    migratorOn(database, {
      connect: connectorTo(proxy.settings),
      database: databaseOf({ id: '001', upgrade: [CREATE] }),
      bounds: { ...DEFAULT_BOUNDS, reconnectMs: 1_000 },
    }),
    'head',
  );
  return run.finally(() => proxy.stop());
}

let commits = 0;
beforeEach(() => {
  commits = 0;
});
const isCommit = (bytes: Buffer) => bytes.includes('COMMIT\0');
/** Passes COMMIT on, and once the server has answered it does `instead`. */
function afterCommit(instead: () => void): Disturbance {
  let sent = false;
  return {
    toServer(bytes) {
      sent ||= isCommit(bytes);
      return bytes;
    },
    toClient(bytes) {
      if (!sent) return bytes;
      sent = false;
      instead();
      return undefined;
    },
  };
}
/** Does `instead` of passing the first COMMIT on; the next one is of the failure's row in the history. */
function beforeCommit(instead: () => void): Disturbance {
  return {
    toServer(bytes) {
      if (commits > 0 || !isCommit(bytes)) return bytes;
      commits += 1;
      instead();
      return undefined;
    },
  };
}

test('an answer that is lost is asked for: the run is reported as committed', async () => {
  const report = await upgradeThrough(({ cut }) => afterCommit(cut));
  expect(report).toMatchObject({ outcome: 'upgraded', to: '001' });
  expect(await isThere()).toBe(true);
  expect(await outcomes()).toEqual([{ outcome: 'upgraded' }]);
});

test('a COMMIT that never arrived is rolled back, and said to be', async () => {
  await expect(upgradeThrough(({ cut }) => beforeCommit(cut))).rejects.toMatchObject({
    name: 'MigrationFailed',
    summary: 'The connection was lost at COMMIT, and the server rolled back',
  });
  expect(await isThere()).toBe(false);
  expect(await outcomes()).toEqual([{ outcome: 'MigrationFailed' }]);
});

test.each([
  ['after', afterCommit, true],
  ['before', beforeCommit, false],
])(
  'a server that is gone %s COMMIT leaves the outcome unknown, and says how to ask',
  async (_when, lose, there) => {
    await expect(upgradeThrough(({ close }) => lose(close))).rejects.toMatchObject({
      name: 'OutcomeUnknown',
      detail: expect.stringMatching(/^Transaction \d+: no answer after 1 s\.$/),
      hint: expect.stringMatching(/: SELECT outcome FROM backstop\.history WHERE run_id = '[0-9a-f-]{36}';$/),
    });
    expect(await isThere()).toBe(there);
  },
);

describe('work that is deferred to COMMIT is rolled back if it fails', () => {
  const upgradeWith = (sql: string, bounds = DEFAULT_BOUNDS) =>
    upgrade(
      migratorOn(database, { database: databaseOf({ id: '001', upgrade: [CREATE, sql] }), bounds }),
      'head',
    );
  const deferred = (body: string) => `
    CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON one DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION at_commit();
    INSERT INTO one VALUES (1);`;

  afterEach(async () => {
    expect(await isThere()).toBe(false);
  });

  test('a constraint', async () => {
    const sql = `ALTER TABLE one ADD PRIMARY KEY (id), ADD two integer;
      ALTER TABLE one ADD FOREIGN KEY (two) REFERENCES one DEFERRABLE INITIALLY DEFERRED;
      INSERT INTO one VALUES (1, 2);`;
    await expect(upgradeWith(sql)).rejects.toMatchObject({
      name: 'MigrationFailed',
      summary: expect.stringMatching(
        /violates foreign key constraint .* \(SQLSTATE 23503\) in checking deferred constraints$/,
      ),
    });
    expect(await outcomes()).toEqual([{ outcome: 'MigrationFailed' }]);
  });

  test('a trigger that refuses, by its name', async () => {
    const sql = deferred("RAISE USING ERRCODE = 'check_violation', MESSAGE = 'not like this';");
    await expect(upgradeWith(sql)).rejects.toMatchObject({
      name: 'MigrationRefused',
      summary: 'not like this',
    });
  });

  test('a trigger that takes too long', async () => {
    const bounds = { ...DEFAULT_BOUNDS, transactionMs: 1_000 };
    await expect(upgradeWith(deferred('PERFORM pg_sleep(30);'), bounds)).rejects.toMatchObject({
      name: 'MigrationTimeout',
      detail: expect.stringContaining(
        'Stopped in checking deferred constraints; everything was rolled back.',
      ),
    });
  });
});

describe('a crash of the server may lose a transaction and its id', () => {
  /** The answer to COMMIT is lost. */
  const ask = async (id: string) => {
    const client = await database.connect('test');
    await client.end();
    return commit(client, database.connect, { id, runId: randomUUID() }, 1_000);
  };
  const rolledBack = { name: 'MigrationFailed', summary: expect.stringContaining('the server rolled back') };

  test('an id that the server has not given yet was not committed', async () => {
    await expect(ask('4294967295')).rejects.toMatchObject(rolledBack);
  });

  test("an id that was given again is another transaction's", async () => {
    const [given] = await database.query('SELECT pg_current_xact_id()::text AS id');
    await expect(ask(given?.id)).rejects.toMatchObject(rolledBack);
  });
});

describe('a COMMIT that the server does not carry out is an error', () => {
  const commitAfter = async (sql: string) => {
    const client = await database.connect('test');
    try {
      await client.query('BEGIN');
      await client.query(sql).catch(() => {});
      await commit(client, database.connect, { id: '0', runId: randomUUID() }, 0);
    } finally {
      await client.end();
    }
  };

  test('because it fails', async () => {
    const sql = `CREATE TABLE one (id integer UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO one VALUES (1), (1);`;
    await expect(commitAfter(sql)).rejects.toMatchObject({
      name: 'MigrationFailed',
      summary: expect.stringMatching(/\(SQLSTATE 23505\) in COMMIT$/),
    });
  });

  test('because a failure before it went unnoticed', async () => {
    await expect(commitAfter('SELECT 1 / 0')).rejects.toMatchObject({
      name: 'MigrationFailed',
      summary: 'The server answered COMMIT with ROLLBACK',
    });
  });

  test('but not if the server carries it out', async () => {
    await commitAfter(CREATE);
    expect(await isThere()).toBe(true);
  });
});
