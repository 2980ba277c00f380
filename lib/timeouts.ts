// The time limits of a deployment, each derived from the one inside it: transaction < Lambda < Task < execution.

/** The longest that Lambda lets a function run, in seconds. */
export const LAMBDA_LIMIT_SECONDS = 900;

/** The longest that an execution may take, in hours; a pipeline's action waits far longer (seven days). */
export const EXECUTION_LIMIT_HOURS = 4;

/** For how long a function tries to connect: Aurora wakes in 30 s at most, and fails over in less than a minute. */
export const CONNECT_SECONDS = 60;

/** Time that a function needs to plan and to report, beside its transaction, in seconds. */
const AROUND_TRANSACTION_SECONDS = 60;

/** How much longer than the function itself the state machine waits for its answer, in seconds. */
const TASK_MARGIN_SECONDS = 30;

export interface TransactionBounds {
  /** How long the transaction may take (FR-031). */
  readonly transactionSeconds: number;
  /** How long locks are waited for before that. */
  readonly lockWaitSeconds: number;
}

/** How long a function needs that runs one transaction and connects at once, in seconds. */
export function runSeconds({ transactionSeconds, lockWaitSeconds }: TransactionBounds): number {
  return transactionSeconds + lockWaitSeconds + AROUND_TRANSACTION_SECONDS;
}

/** Every function and how long it may take, in seconds. */
export function functionSeconds(bounds: TransactionBounds) {
  const run = Math.min(runSeconds(bounds) + CONNECT_SECONDS, LAMBDA_LIMIT_SECONDS);
  return {
    resolve: 30,
    snapshot: 60,
    preflight: 240,
    migrate: run,
    reconcile: 240,
    validate: 600,
    schedule: 30,
    finalize: run,
    downgrade: run,
    summarize: 30,
    notify: 60,
  };
}

export type FunctionName = keyof ReturnType<typeof functionSeconds>;

/** How long a Task waits for its function, in seconds. */
export function taskSeconds(lambdaSeconds: number): number {
  return lambdaSeconds + TASK_MARGIN_SECONDS;
}
