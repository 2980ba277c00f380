// One transaction: tried again if others hold locks, bounded, and rolled back whole whatever ends it.
import { upgrade } from '../../../../lambda/migrator/migrator.ts';
import { type Bounds, DEFAULT_BOUNDS } from '../../../../lambda/migrator/model/bounds.ts';
import { type Connect, connectorTo } from '../../../../lambda/migrator/session/connection.ts';
import { withClient } from '../../../../lib/twin/server/client.ts';
import { makeDatabase, migratorOn, type TestDatabase, testServer } from '../../../setup/database.ts';
import { type Disturbance, startProxy } from '../../../setup/proxy.ts';
import { databaseOf, type RevisionDraft } from '../../../setup/revisions.ts';
import { expectNothingLeft, hold, pidRunning, until } from '../../../setup/sessions.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
  await database.query('CREATE TABLE one (id integer); CREATE TABLE two (id integer);');
});
afterEach(async () => {
  await expectNothingLeft(database);
  await database.drop();
});

function begin(draft: Omit<RevisionDraft, 'id'>, bounds: Partial<Bounds> = {}, connect?: Connect) {
  const options = migratorOn(database, {
    database: databaseOf({ id: '001', ...draft }),
    bounds: { ...DEFAULT_BOUNDS, ...bounds },
    ...(connect && { connect }),
  });
  return { events: options.events, run: upgrade(options, 'head') };
}
/** The columns of table one, and the version: `id` and none as long as nothing was committed. */
async function state(): Promise<string> {
  const [row] = await database.query(`
    SELECT string_agg(attname, ', ' ORDER BY attnum) AS columns, to_regclass('alembic_version')::text AS version
    FROM pg_attribute WHERE attrelid = 'public.one'::regclass AND attnum > 0`);
  return `${row?.columns}; ${row?.version}`;
}
const UNCHANGED = 'id; null';
const CHANGE = 'ALTER TABLE one ADD changed integer;';
const SHORT = { transactionMs: 1_000, graceMs: 500 };

/** Begins a run of a change and these steps, with a second for it, through a network that is disturbed. */
async function beginThrough(disturb: () => Disturbance, steps: string[]) {
  const proxy = await startProxy(database.settings, disturb);
  const started = begin({ upgrade: [CHANGE, ...steps] }, SHORT, connectorTo(proxy.settings));
  return { ...started, proxy };
}
/** Once a connection has sent these texts in this order, it receives nothing any more. */
const silentAfter =
  (...texts: string[]) =>
  (): Disturbance => {
    const awaited = [...texts];
    return {
      toServer(bytes) {
        if (awaited[0] && bytes.includes(awaited[0])) awaited.shift();
        return bytes;
      },
      toClient: (bytes) => (awaited.length > 0 ? bytes : undefined),
    };
  };

describe('if another session holds a table lock', () => {
  const LOCKED: Omit<RevisionDraft, 'id'> = { locks: 'public.one', upgrade: [CHANGE] };

  test('for a while, it is tried again and succeeds, and says who was in the way', async () => {
    const holder = await hold(database, 'SELECT FROM one');
    const { run, events } = begin(LOCKED, { lockTimeoutMs: 1_500 });
    await until('a retry', async () => events.some(({ type }) => type === 'retrying'));
    await holder.release();
    const report = await run;
    expect(report.outcome).toBe('upgraded');
    expect(report.attempts).toBeGreaterThan(1);
    expect(report.blockers).toEqual([
      expect.objectContaining({
        pid: holder.pid,
        user: database.settings.user,
        state: 'idle in transaction',
      }),
    ]);
    expect(await state()).toBe('id, changed; alembic_version');
  });

  test('for longer, it is DatabaseBusy, names the holder and changes nothing', async () => {
    const holder = await hold(database, 'SELECT FROM one');
    const { run, events } = begin(LOCKED, { lockTimeoutMs: 1_500, lockWaitMs: 1_000 });
    await expect(run).rejects.toMatchObject({
      name: 'DatabaseBusy',
      summary: expect.stringContaining('The table locks were not granted together within 900 ms'),
      detail: expect.stringContaining(
        `pid ${holder.pid} (${database.settings.user}, holder, idle in transaction)`,
      ),
      hint: expect.stringContaining(`pg_terminate_backend(${holder.pid})`),
    });
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'waiting', lock: 'table', blockers: [expect.anything()] }),
    );
    expect(await state()).toBe(UNCHANGED);
    await holder.release();
  });

  test('readers get through while it goes on trying', async () => {
    const holder = await hold(database, 'SELECT FROM one');
    const { run, events } = begin(LOCKED, { lockTimeoutMs: 300, lockWaitMs: 3_000 });
    const ended = run.then(
      () => 'upgraded',
      (error) => error.name,
    );
    const reader = await database.connect('reader');
    let going = true;
    void ended.finally(() => {
      going = false;
    });
    await pidRunning(database, 'LOCK TABLE');
    const afterAttempt = new Set<number>();
    while (going) {
      await reader.query('SELECT FROM one');
      if (going) afterAttempt.add(events.filter(({ type }) => type === 'retrying').length);
    }
    expect(await ended).toBe('DatabaseBusy');
    expect(afterAttempt.size).toBeGreaterThan(1);
    await reader.end();
    await holder.release();
  });

  test('and waits for ours since before we had it, it is not the victim of a deadlock', async () => {
    const reader = await hold(database, 'SELECT FROM one');
    const writer = await hold(database, 'INSERT INTO two VALUES (1)');
    const { run, events } = begin({ locks: 'public.one, public.two', upgrade: [CHANGE] });
    await pidRunning(database, 'LOCK TABLE');
    const waiting = writer.client.query('INSERT INTO one VALUES (1)');
    await pidRunning(database, 'INSERT INTO one');
    // Ours gets the first table, and waits for the second one, which the writer holds.
    await reader.release();
    await expect(waiting).resolves.toMatchObject({ rowCount: 1 });
    await writer.release();
    await expect(run).resolves.toMatchObject({ outcome: 'upgraded' });
    expect(events).toContainEqual(expect.objectContaining({ type: 'retrying' }));
  });

  test('and waits for ours, the deadlock costs one attempt', async () => {
    await withClient(testServer, database.name, async (other) => {
      // The other never gives up first.
      await other.query("SET deadlock_timeout = '10min'; BEGIN; LOCK TABLE two;");
      const options = migratorOn(database, {
        // A lock that no reading of the statements foresees is not taken before the first step.
        database: databaseOf({
          id: '001',
          upgrade: [CHANGE, 'DO $$ BEGIN ALTER TABLE two ADD changed integer; END $$;'],
        }),
        bounds: { ...DEFAULT_BOUNDS, lockTimeoutMs: 20_000 },
      });
      let theirs: Promise<unknown> | undefined;
      const report = await upgrade(
        {
          ...options,
          listener(event) {
            if (event.type === 'step started' && event.number === 2)
              theirs ??= other.query('LOCK TABLE one; COMMIT;');
          },
        },
        'head',
      );
      await theirs;
      expect(report).toMatchObject({ outcome: 'upgraded', attempts: 2 });
    });
  });
});

describe('past its time it is MigrationTimeout and rolled back', () => {
  const TIMEOUT = (step: number) => ({
    name: 'MigrationTimeout',
    summary: 'The transaction took longer than the 1 s that it may',
    detail: expect.stringContaining(`Stopped in step ${step}/`),
  });
  afterEach(async () => {
    expect(await state()).toBe(UNCHANGED);
  });

  test('in one long statement', async () => {
    const { run } = begin({ upgrade: [CHANGE, 'SELECT pg_sleep(60);'] }, SHORT);
    await expect(run).rejects.toMatchObject(TIMEOUT(2));
  });

  test('in steps that are short, each for itself', async () => {
    const steps = Array.from({ length: 20 }, () => 'SELECT pg_sleep(0.3);');
    const { run } = begin({ upgrade: [CHANGE, ...steps] }, SHORT);
    await expect(run).rejects.toMatchObject({
      ...TIMEOUT(5),
      detail: expect.stringMatching(/in step [2-5]\//),
    });
  });

  test('in statements of one step that are short, each for itself', async () => {
    const { run } = begin({ upgrade: [CHANGE, 'SELECT pg_sleep(0.5);'.repeat(60)] }, SHORT);
    await expect(run).rejects.toMatchObject(TIMEOUT(2));
  });

  test('if the server does not answer any more', async () => {
    const { run, proxy } = await beginThrough(silentAfter('a step unheard'), ["SELECT 'a step unheard';"]);
    await expect(run).rejects.toMatchObject(TIMEOUT(2));
    await proxy.stop();
  });
});

describe('ended from outside it is MigrationFailed, rolled back, and its locks are gone', () => {
  const LONG: Omit<RevisionDraft, 'id'> = { locks: 'public.one', upgrade: [CHANGE, 'SELECT pg_sleep(60);'] };
  afterEach(async () => {
    expect(await state()).toBe(UNCHANGED);
  });

  test.each([
    ['pg_terminate_backend', '57P01'],
    ['pg_cancel_backend', '57014'],
  ])('by %s', async (how, code) => {
    const { run } = begin(LONG);
    const failed = expect(run).rejects.toMatchObject({
      name: 'MigrationFailed',
      summary: expect.stringMatching(new RegExp(`\\(SQLSTATE ${code}\\) in step 2/2 of 001 \\(Step 2\\)$`)),
    });
    await database.asAdministrator(`SELECT ${how}(${await pidRunning(database, 'pg_sleep(60)')})`);
    await failed;
  });

  test('by the network', async () => {
    const { run, proxy } = await beginThrough(() => ({}), ['SELECT pg_sleep(60);']);
    const failed = expect(run).rejects.toMatchObject({
      name: 'MigrationFailed',
      summary: 'The connection was lost in step 2/2 of 001 (Step 2)',
    });
    await pidRunning(database, 'pg_sleep(60)');
    proxy.cut();
    await failed;
    await proxy.stop();
  });
});

test('under the locks a step takes one round trip: its bound, itself, and the query for its changes', async () => {
  const traffic: string[] = [];
  const connect: Connect = async (name) => {
    const client = await connectorTo(database.settings)(name);
    const query = client.query.bind(client) as (...asked: unknown[]) => Promise<unknown>;
    const recorded = (...asked: unknown[]) => {
      // node-postgres keeps a statement back until the one before it is answered, unless it is told to pipeline.
      traffic.push(asked[0] === CHANGE && !client.pipeline ? 'kept back' : String(asked[0]));
      return query(...asked).finally(() => traffic.push('answer'));
    };
    return Object.assign(client, { query: recorded });
  };
  await begin({ locks: 'public.one', upgrade: [CHANGE, 'SELECT 2;'] }, {}, connect).run;
  const first = traffic.indexOf(CHANGE) - 1;
  const [bound, look, restore] = [/^SET LOCAL statement_timeout/, /AS locks$/, /RESET ROLE;/].map((text) =>
    expect.stringMatching(text),
  );
  const answers = ['answer', 'answer', 'answer'];
  expect(traffic.slice(first, first + 14)).toEqual([
    ...[bound, CHANGE, look, ...answers],
    // With the last one goes what makes the session as it was at the start.
    ...[bound, 'SELECT 2;', look, restore, ...answers, 'answer'],
  ]);
  // COMMIT is sent when everything before it has been answered, and alone.
  const commit = traffic.indexOf('COMMIT');
  expect(traffic.slice(commit - 1, commit + 2)).toEqual(['answer', 'COMMIT', 'answer']);
});

describe('a step that fails', () => {
  test('rolls back what came before it, the version too, and says so once', async () => {
    const { run, events } = begin({ upgrade: [CHANGE, 'SELECT 1 / 0;', 'SELECT 3;'] });
    await expect(run).rejects.toMatchObject({
      name: 'MigrationFailed',
      summary: 'division by zero (SQLSTATE 22012) in step 2/3 of 001 (Step 2)',
    });
    expect(await state()).toBe(UNCHANGED);
    expect(events.filter(({ type }) => type === 'rolled back')).toHaveLength(1);
    expect(events.filter((event) => event.type === 'step started').map(({ number }) => number)).toEqual([
      1, 2,
    ]);
  });

  test('after the time was up is reported by its own error', async () => {
    const bounds = { transactionMs: 4_000, graceMs: 500 };
    const { run } = begin({ upgrade: ['SELECT pg_sleep(2.1); SELECT pg_sleep(2.1); SELECT 1 / 0;'] }, bounds);
    await expect(run).rejects.toMatchObject({
      name: 'MigrationFailed',
      summary: expect.stringContaining('division by zero'),
    });
  });

  test('is reported even if the server does not answer any more', async () => {
    const { run, proxy } = await beginThrough(silentAfter('1 / 0', 'ROLLBACK'), ['SELECT 1 / 0;']);
    await expect(run).rejects.toMatchObject({ summary: expect.stringContaining('division by zero') });
    await proxy.stop();
  });

  test('rolls back the revisions before it', async () => {
    const options = migratorOn(database, {
      database: databaseOf(
        { id: '001', upgrade: [CHANGE] },
        { id: '002', revises: '001', upgrade: ['SELECT 1 / 0;'] },
      ),
    });
    await expect(upgrade(options, 'head')).rejects.toMatchObject({ name: 'MigrationFailed' });
    expect(await state()).toBe(UNCHANGED);
  });
});

test('notices are reported in their order, each with its step', async () => {
  const say = (...words: string[]) =>
    `DO $$ BEGIN ${words.map((w) => `RAISE NOTICE '${w}';`).join(' ')} END $$;`;
  const { run, events } = begin({ upgrade: [say('a', 'b'), 'SELECT 1;', `${say('c')} ${say('d')}`] });
  const { steps } = await run;
  expect(steps.map(({ notices }) => notices.map(({ message }) => message))).toEqual([
    ['a', 'b'],
    [],
    ['c', 'd'],
  ]);
  expect(
    events.flatMap((event) => {
      if (event.type === 'notice') return [event.notice.message];
      return event.type === 'step completed' ? [`${event.step.number}`] : [];
    }),
  ).toEqual(['a', 'b', '1', '2', 'c', 'd', '3']);
});

test('several revisions are one transaction, reported in order', async () => {
  const options = migratorOn(database, {
    database: databaseOf({ id: '001', upgrade: [CHANGE] }, { id: '002', revises: '001' }),
  });
  const report = await upgrade(options, 'head');
  expect(report).toMatchObject({ from: 'base', to: '002', revisions: ['001', '002'], attempts: 1 });
  expect(options.events.map(({ type }) => type)).toEqual([
    'connected',
    'planned',
    'estimated',
    ...['revision started', 'step started', 'step completed'],
    ...['revision started', 'step started', 'step completed'],
    // A revision is complete once it is committed, and not before.
    ...['revision completed', 'revision completed', 'committed'],
  ]);
});

test('a dry run reports no revision as complete', async () => {
  const options = migratorOn(database, { database: databaseOf({ id: '001', upgrade: [CHANGE] }) });
  await upgrade(options, 'head', { dryRun: true });
  expect(options.events.map(({ type }) => type)).not.toContain('revision completed');
});

test('a step that ends the transaction unseen is not reported as rolled back', async () => {
  const read = databaseOf({ id: '001', upgrade: ['SELECT 1;'] });
  // Past the reader, which refuses such a step.
  const revisions = read.chain.revisions.map((revision) => ({
    ...revision,
    upgrade: { ...revision.upgrade, steps: [{ title: 'sly', sql: `${CHANGE} COMMIT;` }] },
  }));
  const options = migratorOn(database, { database: { ...read, chain: { ...read.chain, revisions } } });
  await expect(upgrade(options, 'head')).rejects.toMatchObject({
    name: 'OutcomeUnknown',
    summary: 'The transaction was ended in step 1/1 of 001 (sly)',
  });
  expect(options.events.map(({ type }) => type)).not.toContain('rolled back');
});

test('a name on the Locks line that is no table is left to the revision', async () => {
  await database.query('CREATE SEQUENCE a_sequence; CREATE VIEW a_view AS SELECT 3');
  const { run } = begin({
    locks: 'public.a_sequence, public.a_view, public.nothing, public.one',
    upgrade: [CHANGE],
  });
  const { exclusiveMs } = await run;
  expect(Object.keys(exclusiveMs)).toEqual(['public.one']);
});
