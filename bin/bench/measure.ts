// The measurement of one size: both methods in turn, each run on a fresh copy, and the ways back from an upgrade.
import type { Client } from 'pg';
import { readCurrent, validate } from '../../lambda/migrator/inspect.ts';
import { downgrade, finalize, upgrade } from '../../lambda/migrator/migrator.ts';
import type { RunReport } from '../../lambda/migrator/model/report.ts';
import type { Database } from '../../lambda/migrator/revisions/databases.ts';
import { type Connect, connectorTo } from '../../lambda/migrator/session/connection.ts';
import { withClient } from '../../lib/twin/server/client.ts';
import type { LocalServer } from '../../lib/twin/server.ts';
import { addressOf } from '../../lib/twin/twin.ts';
import { type Figures, median, medianFigures, type SizeResults } from './results.ts';
import { type Copy, onCopy, type Template } from './template.ts';
import { runThreePhase, type Told } from './three-phase.ts';
import { chunksBytes, stopwatchOn, walPosition } from './watch.ts';

/** How often very short work is repeated. */
const QUICK_QUESTIONS = 50;
const PASSES = 5;

/** The size to measure, and its databases. */
export interface Subject {
  readonly server: LocalServer;
  readonly database: Database;
  readonly template: Template;
  readonly vectorIndex: SizeResults['vectorIndex'];
}

/** The figures of a fresh copy, before it is changed. */
type Before = Pick<SizeResults, 'tableBytes' | 'passMs' | 'fullPassMs' | 'roundTripMs'>;

/** The figures of an upgraded copy, and of the ways back from it. */
type Upgraded = Pick<
  SizeResults,
  'backstop' | 'downgrade' | 'finalize' | 'downgradeFinalized' | 'validateMs' | 'checks' | 'currentMs'
>;

/**
 * Runs both methods `runs` times in turn, so that whatever else the machine does meets both.
 *
 * @param progress called after each copy
 */
export async function measureSize(
  subject: Subject,
  runs: number,
  progress: (done: number, total: number) => void = () => {},
): Promise<SizeResults> {
  const { template, vectorIndex } = subject;
  const before: Before[] = [];
  const threePhase: Figures[] = [];
  const upgraded: Upgraded[] = [];
  for (let run = 0; run < runs; run++) {
    await withCopy(subject, async (copy, administrator) => {
      before.push(await measureBefore(administrator));
      threePhase.push(await measureRun(administrator, connectorTo(copy.settings), runThreePhase));
    });
    progress(2 * run + 1, 2 * runs);
    await withCopy(subject, async (copy, administrator) => {
      before.push(await measureBefore(administrator));
      upgraded.push(await measureUpgrade(subject, copy, administrator));
    });
    progress(2 * run + 2, 2 * runs);
  }
  const middle = <T>(all: readonly T[], read: (one: T) => number) => median(all.map(read));
  return {
    chunks: template.chunks,
    vectorIndex,
    runs,
    tableBytes: middle(before, ({ tableBytes }) => tableBytes),
    passMs: middle(before, ({ passMs }) => passMs),
    fullPassMs: middle(before, ({ fullPassMs }) => fullPassMs),
    roundTripMs: middle(before, ({ roundTripMs }) => roundTripMs),
    threePhase: medianFigures(threePhase),
    backstop: medianFigures(upgraded.map(({ backstop }) => backstop)),
    downgrade: medianFigures(upgraded.map((one) => one.downgrade)),
    finalize: medianFigures(upgraded.map((one) => one.finalize)),
    downgradeFinalized: medianFigures(upgraded.map(({ downgradeFinalized }) => downgradeFinalized)),
    validateMs: middle(upgraded, ({ validateMs }) => validateMs),
    checks: middle(upgraded, ({ checks }) => checks),
    currentMs: middle(upgraded, ({ currentMs }) => currentMs),
  };
}

async function withCopy(
  { server, template }: Subject,
  work: (copy: Copy, administrator: Client) => Promise<void>,
): Promise<void> {
  await onCopy(server, template, addressOf(server, template.name), (copy) =>
    withClient(server, copy.name, (administrator) => work(copy, administrator)),
  );
}

async function measureBefore(client: Client): Promise<Before> {
  // One process, which reads the table and no index.
  await client.query(
    `SELECT set_config(name, value, false)
     FROM (VALUES ('max_parallel_workers_per_gather', '0'), ('enable_indexscan', 'off'), ('enable_bitmapscan', 'off'),
                  ('enable_indexonlyscan', 'off')) AS setting (name, value)`,
  );
  const { rows } = await client.query<{ name: string }>(
    `SELECT quote_ident(attname) AS name FROM pg_attribute
     WHERE attrelid = 'public.code_chunks'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum DESC LIMIT 1`,
  );
  // The first one warms the table up.
  await client.query('SELECT count(*) FROM public.code_chunks');
  return {
    tableBytes: await chunksBytes(client),
    passMs: await repeat(PASSES, () => client.query('SELECT count(*) FROM public.code_chunks')),
    fullPassMs: await repeat(PASSES, () =>
      client.query(`SELECT count(${rows[0]?.name}) FROM public.code_chunks`),
    ),
    roundTripMs: await repeat(QUICK_QUESTIONS, () => client.query('SELECT')),
  };
}

async function measureUpgrade(
  { database }: Subject,
  { settings }: Copy,
  administrator: Client,
): Promise<Upgraded> {
  const connect = connectorTo(settings);
  const measured = (verb: (connect: Connect) => Promise<RunReport>) =>
    measureRun(administrator, connect, async (watched) => told(await verb(watched)));
  const go = (watched: Connect) => upgrade({ database, connect: watched }, 'head');
  const back = (watched: Connect) => downgrade({ database, connect: watched }, '-1');

  const backstop = await measured(go);
  const { durationMs: validateMs, checks, passed } = await validate({ database, connect }, 'after-upgrade');
  if (!passed) throw new Error('The checks do not hold after the upgrade that was measured.');
  const currentMs = await measureCurrent(database, connect);
  const downgraded = await measured(back);
  await go(connect);
  const finalized = await measured((watched) => finalize({ database, connect: watched }));
  const downgradeFinalized = await measured(back);
  return {
    backstop,
    downgrade: downgraded,
    finalize: finalized,
    downgradeFinalized,
    validateMs,
    checks: checks.length,
    currentMs,
  };
}

async function measureRun(
  administrator: Client,
  connect: Connect,
  run: (connect: Connect) => Promise<Told>,
): Promise<Figures> {
  const watch = stopwatchOn(connect);
  const wal = await walPosition(administrator);
  const started = performance.now();
  const { steps, exclusiveMs, rewritten } = await run(watch.connect);
  const wallMs = performance.now() - started;
  return {
    wallMs,
    databaseMs: watch.elapsed(),
    steps,
    exclusiveMs,
    walBytes: (await walPosition(administrator)) - wal,
    rewritten,
    tableBytes: await chunksBytes(administrator),
  };
}

function told({ steps, exclusiveMs }: RunReport): Told {
  return {
    steps: Object.fromEntries(steps.map(({ title, durationMs }) => [title, durationMs])),
    exclusiveMs,
    rewritten: [...new Set(steps.flatMap(({ rewritten }) => rewritten))],
  };
}

async function measureCurrent(database: Database, connect: Connect): Promise<number> {
  const client = await connect('backstop bench');
  try {
    await readCurrent(client, database);
    return await repeat(QUICK_QUESTIONS, () => readCurrent(client, database));
  } finally {
    await client.end();
  }
}

/** The median duration of so many repetitions, in ms. */
async function repeat(times: number, ask: () => Promise<unknown>): Promise<number> {
  const durations: number[] = [];
  for (let time = 0; time < times; time++) {
    const started = performance.now();
    await ask();
    durations.push(performance.now() - started);
  }
  return median(durations);
}
