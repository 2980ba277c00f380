// One case: what happens, where, and how the execution must end; and the running of it.
import { type Case, makeTwin, type Run, type TestTwin, withEnvironment } from '../../machine/twin.ts';
import { expectNothingLeft, type Holder, hold, until } from '../../setup/sessions.ts';
import { type Crooked, startCrookedAws } from './crooked-aws.ts';
import { disturbState } from './disturbed.ts';
import type { Disturbance, Mishap } from './function.ts';
import { judge, type Row } from './judge.ts';
import { type Ends, PLACES, type Place, type PlaceName } from './places.ts';

/** What an invocation is doing. */
export type Whereabouts = 'waiting for a lock' | 'in a step';

export interface FaultCase extends Pick<Case, 'given' | 'deployment' | 'server'> {
  readonly place: PlaceName;
  /** In the words of the page. */
  readonly fault: string;
  readonly ends: Ends;
  readonly mishap?: Mishap;
  /** How many invocations the mishap meets. @default all */
  readonly times?: number;
  /** Where the first invocation is when it is killed. */
  readonly killed?: Whereabouts;
  /** What AWS does to the function instead of answering. */
  readonly aws?: Crooked;
  /** Whether the work of the first invocation is held up until the execution has ended, and then goes on. */
  readonly outlives?: boolean;
}

/** Throws where the ending is another one, or the database is not as it promises. */
export async function runCase(fault: FaultCase): Promise<Row> {
  const place: Place = PLACES[fault.place];
  await using aws = fault.aws && (await startCrookedAws(fault.aws));
  const environment: Disturbance['environment'] = aws && {
    AWS_ENDPOINT_URL_RDS: aws.url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: aws.url,
    AWS_ENDPOINT_URL_SCHEDULER: aws.url,
  };
  const { mishap = { does: 'work' }, times } = fault;
  const { deployment, kill } = disturbState(
    fault.deployment ?? withEnvironment(place.environment ?? {}),
    fault.place,
    {
      mishap,
      times,
      environment,
    },
  );
  const { server = {} } = fault;
  await using twin = await makeTwin({ at: place.at, server, deployment });
  if (aws) aws.behind = twin.endpoint.url;
  await fault.given?.(twin);
  if (fault.outlives) return judge(fault, await outlived(fault.place, twin), twin);
  const killing = fault.killed && killIn(fault.place, fault.killed, twin, kill);
  const executing = twin.execute(place.input);
  // An execution that never comes to that state ends by itself.
  const run = await Promise.race([executing, killing?.then(() => executing) ?? executing]);
  return judge(fault, run, twin);
}

/** Kills the first invocation of a state, once its session is where it shall be. */
async function killIn(state: string, where: Whereabouts, twin: TestTwin, kill: () => void): Promise<void> {
  const close = where === 'in a step' ? closeGate : lockVersion;
  const holder = await atFirstRequestIn(state, twin, () => close(twin));
  await until('the wait of the function', () => blocks(holder, twin));
  kill();
  await holder.release();
}

/** The execution, and what the invocation that outlived it has done after it. */
function outlived(place: PlaceName, twin: TestTwin): Promise<Run> {
  let gate: Holder | undefined;
  void atFirstRequestIn(place, twin, async () => {
    gate = await closeGate(twin);
  });
  return twin.execute(PLACES[place].input, async () => {
    await gate?.release();
    await expectNothingLeft(twin.database);
  });
}

/** Acts when the function of a state asks AWS for the first time, which it does before it connects. */
export function atFirstRequestIn<T>(state: string, twin: TestTwin, act: () => Promise<T>): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  let acted: Promise<T> | undefined;
  twin.endpoint.onRequest = async () => {
    if (twin.state !== state) return undefined;
    acted ??= act();
    resolve(await acted);
    return undefined;
  };
  return promise;
}

function lockVersion({ database }: TestTwin): Promise<Holder> {
  return hold(database, 'LOCK TABLE alembic_version');
}

/** From now on every statement that changes a table waits, for as long as it takes, until the gate is released. */
async function closeGate({ database }: TestTwin): Promise<Holder> {
  await database.asAdministrator(`
    CREATE SCHEMA gate;
    CREATE FUNCTION gate.pass() RETURNS event_trigger LANGUAGE plpgsql SET lock_timeout = 0 AS
      $$ BEGIN PERFORM pg_advisory_xact_lock_shared(42); END $$;
    CREATE EVENT TRIGGER gate ON ddl_command_start
      WHEN TAG IN ('ALTER TABLE', 'DROP INDEX', 'DROP TABLE', 'DROP SCHEMA') EXECUTE FUNCTION gate.pass()`);
  return hold(database, 'SELECT pg_advisory_xact_lock(42)');
}

async function blocks({ pid }: Holder, { database }: TestTwin): Promise<boolean> {
  const waiting = await database.asAdministrator(
    `SELECT FROM pg_stat_activity WHERE datname = '${database.name}' AND ${pid} = ANY (pg_blocking_pids(pid))`,
  );
  return waiting.length > 0;
}
