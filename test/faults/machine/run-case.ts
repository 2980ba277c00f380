// Runs one case, and returns its row of the page.
import { makeTwin, type Run, type TestTwin, withEnvironment } from '../../machine/twin.ts';
import { expectNothingLeft, type Holder, hold, until } from '../../setup/sessions.ts';
import type { Activity, FaultCase } from './case.ts';
import { disturbState } from './disturbed.ts';
import { startFaultyAws } from './faulty-aws.ts';
import type { Disturbance } from './function.ts';
import { judge, type Row } from './judge.ts';
import { PLACES, type Place, type PlaceName } from './places.ts';

/** Throws if the execution ends in another way, or if the database breaks the promise of the ending. */
export async function runCase(fault: FaultCase): Promise<Row> {
  const place: Place = PLACES[fault.place];
  await using aws = fault.aws && (await startFaultyAws(fault.aws));
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
  // An execution that does not enter the state ends by itself.
  const run = await Promise.race([executing, killing?.then(() => executing) ?? executing]);
  return judge(fault, run, twin);
}

/** Kills the first invocation of a state, when its session has reached the activity. */
async function killIn(state: string, activity: Activity, twin: TestTwin, kill: () => void): Promise<void> {
  const close = activity === 'in a step' ? closeGate : lockVersion;
  const holder = await atFirstRequestIn(state, twin, () => close(twin));
  await until('the wait of the function', () => blocks(holder, twin));
  kill();
  await holder.release();
}

/** Executes, lets the first invocation finish after the end of the execution, and then reads the database. */
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

/** Acts at the first request of a state to AWS, which comes before its connection. */
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

/** Blocks every statement that changes a table until the holder is released. */
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
