// One case: runs a verb with a fault at one of its statements, and verifies its report and the database.
import { until } from '../setup/sessions.ts';
import type { Fault, FaultCase } from './cases.ts';
import { type CaseDatabase, discard, giveBack, learn, type Script, take } from './databases.ts';
import { addressOf, type Line, openNetwork } from './network.ts';
import { type Runner, runEngine, runProcess, shortBounds, type Told } from './runners.ts';
import { VERBS } from './verbs.ts';
import { verify } from './verify.ts';

/** Throws WrongResult if the database is not whole, or if the report of the run is false. */
export async function runCase(fault: FaultCase): Promise<void> {
  const script = await learn(fault.verb);
  for (const transactionMs of TRANSACTION_MS) {
    const database = await take(fault.verb);
    try {
      const committed = await disturb(fault, script, database, transactionMs, (told) =>
        verify(fault, told, script, database),
      );
      if (committed === false) giveBack(fault.verb, database);
      else await discard(database);
      if (committed !== MISSED) return;
    } catch (error) {
      await discard(database);
      throw error;
    }
  }
  throw new Error(`no run came to statement ${fault.at}`);
}

/**
 * The transaction's time limit in each attempt. On a busy machine the time may be up before the statement is sent. The
 * engine reads the clock, too, and may then skip the statement.
 */
const TRANSACTION_MS = [1_500, 6_000, 24_000];

/** The run has ended, and the fault did not meet the statement. */
export const MISSED = Symbol('missed');

/**
 * Runs the verb and lets the fault happen.
 *
 * @param transactionMs used only if the fault is silent, so that a time limit must end the run
 * @param verified called with the report of the run, before the network is restored
 */
export async function disturb<T>(
  fault: FaultCase,
  { statements }: Script,
  database: CaseDatabase,
  transactionMs: number,
  verified: (told: Told) => Promise<T>,
  act: Act = ACTS[fault.fault as keyof typeof ACTS],
): Promise<T | typeof MISSED> {
  let runner: Runner | undefined;
  let met = false;
  const mustSleep = fault.meeting === 'begun' || fault.meeting === 'carried out';
  await using network = await openNetwork(database.settings, {
    at: addressOf(statements, fault.at),
    meeting: fault.meeting,
    async act(line, answered) {
      met = !mustSleep || (await isAsleep(line, database, answered));
      if (met) await act({ line, database, runner: runner as Runner });
    },
  });
  const verb = VERBS[fault.verb];
  const isSilent = fault.fault === 'half-open' || fault.fault === 'blackout';
  runner = fault.inProcess
    ? runProcess(verb, network.settings)
    : runEngine(verb, network.settings, isSilent ? shortBounds(transactionMs) : undefined);
  const told = await runner.told;
  return met ? verified(told) : MISSED;
}

/** The connection, database and runner that a fault can act on. */
export interface Victims {
  readonly line: Line;
  readonly database: CaseDatabase;
  readonly runner: Runner;
}

export type Act = (victims: Victims) => void | Promise<void>;

const ACTS: Readonly<Record<Exclude<Fault, 'restart'>, Act>> = {
  kill: ({ runner }) => runner.kill(),
  terminate: (victims) => signal('pg_terminate_backend', victims),
  cancel: (victims) => signal('pg_cancel_backend', victims),
  cut: ({ line }) => line.cut(),
  'half-open': ({ line }) => line.silence(),
  blackout: ({ line }) => line.blackOut(),
};

async function signal(name: string, { line, database }: Victims): Promise<void> {
  await database.administrator.query(`SELECT ${name}($1)`, [line.pid]);
}

/** Whether the server sleeps in the statement; false if it answers first, because the statement has failed. */
async function isAsleep(
  { pid }: Line,
  { administrator }: CaseDatabase,
  answered: Promise<void>,
): Promise<boolean> {
  let ended = false;
  void answered.then(() => {
    ended = true;
  });
  return until('the sleep of the server', async () => {
    const { rows } = await administrator.query(
      "SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'",
      [pid],
    );
    if (rows.length > 0) return { asleep: true };
    return ended && { asleep: false };
  }).then(({ asleep }) => asleep);
}
