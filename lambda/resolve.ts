// Resolve input: completes and checks the execution input, and asks RDS where the database is.
import { describe, toInstance } from './aws/instance.ts';
import { parseRequest } from './request.ts';
import { readEnvironment, resolveEnvironment } from './runtime/environment.ts';
import { makeHandler } from './runtime/handler.ts';
import type { Execution, ExecutionState } from './state.ts';

interface Input {
  readonly input: unknown;
  readonly execution: Execution;
}

export const handler = makeHandler(
  { step: 'Resolve input', stateOf: ({ execution }: Input) => ({ execution }) },
  async ({ input, execution }): Promise<ExecutionState> => {
    const environment = readEnvironment(resolveEnvironment);
    const request = parseRequest(input, {
      databases: Object.keys(environment.BACKSTOP_DATABASES),
      defaultDatabase: environment.BACKSTOP_DEFAULT_DATABASE,
      allowDrills: environment.BACKSTOP_ALLOW_DRILLS,
      finalizeAfterDays: environment.BACKSTOP_FINALIZE_AFTER_DAYS,
      maxLockSeconds: environment.BACKSTOP_MAX_LOCK_SECONDS,
      drift: environment.BACKSTOP_DRIFT,
    });
    const identifier = environment.BACKSTOP_DATABASES[request.database]?.identifier ?? '';
    return { request, execution, instance: toInstance(identifier, await describe(identifier)) };
  },
);
