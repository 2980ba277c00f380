// One case: a verb is run, something happens at one of its statements, and what is true then is judged.
import { until } from '../setup/sessions.ts';
import type { Fault, FaultCase } from './cases.ts';
import { judge } from './judge.ts';
import { type Line, openNetwork } from './network.ts';
import { discard, forget, giveBack, learn, type Place, take } from './places.ts';
import { type Runner, runEngine, runProcess, shortBounds, type Told } from './runners.ts';
import { VERBS } from './verbs.ts';

/** Throws Misjudged where the database is not whole, or what was told is not the truth. */
export async function runCase(fault: FaultCase): Promise<void> {
  const script = await learn(fault.verb);
  const place = await take(fault.verb);
  let committed: boolean;
  try {
    committed = await disturb(fault, place, (told) => judge(fault, told, script, place));
  } catch (error) {
    await discard(place);
    throw error;
  }
  if (committed) await discard(place);
  else giveBack(fault.verb, place);
}

/** On a busy machine a run may use up its time before it has come to the statement: it is given more. */
const TRANSACTION_MS = [1_500, 6_000, 24_000];

/**
 * Runs the verb and lets the fault happen.
 *
 * @param judged called with what was told while the network is still as the fault has left it
 */
export async function disturb<T>(
  fault: FaultCase,
  place: Place,
  judged: (told: Told) => Promise<T>,
  act: Act = ACTS[fault.fault as keyof typeof ACTS],
): Promise<T> {
  for (const transactionMs of TRANSACTION_MS) {
    await forget(place);
    let runner: Runner | undefined;
    await using network = await openNetwork(place.settings, {
      at: fault.at,
      meeting: fault.meeting,
      async act(line) {
        if (fault.meeting === 'begun' || fault.meeting === 'carried out') await untilNapping(line, place);
        await act({ line, place, runner: runner as Runner });
      },
    });
    const verb = VERBS[fault.verb];
    const isSilent = fault.fault === 'half-open' || fault.fault === 'blackout';
    runner = fault.inProcess
      ? runProcess(verb, network.settings)
      : runEngine(verb, network.settings, isSilent ? shortBounds(transactionMs) : undefined);
    const told = await runner.told;
    if (network.struck) return judged(told);
    if (!isSilent) throw new Error(`statement ${fault.at} was never sent: ${JSON.stringify(told)}`);
  }
  throw new Error(`statement ${fault.at} was not reached in time`);
}

/** Who is met by a fault. */
export interface Victims {
  readonly line: Line;
  readonly place: Place;
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

async function signal(name: string, { line, place }: Victims): Promise<void> {
  await place.administrator.query(`SELECT ${name}($1)`, [line.pid]);
}

async function untilNapping({ pid }: Line, { administrator }: Place): Promise<void> {
  await until('the nap of the server', async () => {
    const { rows } = await administrator.query(
      "SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'",
      [pid],
    );
    return rows.length > 0;
  });
}
