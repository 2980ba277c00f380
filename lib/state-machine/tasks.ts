// The Tasks of the flow: each calls one function and puts its answer into its own section of the document.
import { JsonPath, TaskInput } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { ValidationReport } from '../../lambda/migrator/model/report.ts';
import type { Functions } from '../functions.ts';
import { task } from './states.ts';

/** A function that died or gave no answer; each of these functions may run again at any time. */
const LOST = ['States.Timeout', 'Sandbox.Timedout', 'Lambda.Unknown', 'Runtime.ExitError'] as const;

export function createTasks(scope: Construct, functions: Functions) {
  return {
    resolve: task(scope, 'Resolve input', {
      comment: 'Checks the input, adds the deployed defaults and finds the server.',
      function: functions.resolve,
      // RDS may throttle for minutes. The intervals double: the last attempt is five minutes after the first.
      retry: { errors: ['DatabaseUnreachable'], seconds: 5, attempts: 6 },
    }),
    preflight: task(scope, 'Preflight', {
      comment: 'Plans which revisions run, and checks all that can be checked before anything is changed.',
      function: functions.preflight,
      into: '$.plan',
      retry: { errors: ['DatabaseUnreachable'], seconds: 5, attempts: 2 },
    }),
    takeSnapshot: task(scope, 'Take snapshot', {
      comment: 'Begins the snapshot of this execution, or says how far it is.',
      function: functions.snapshot,
      into: '$.snapshot',
      retry: { errors: LOST, seconds: 10, attempts: 3 },
    }),
    migrate: task(scope, 'Migrate', {
      comment: 'Runs the pending revisions in one transaction.',
      function: functions.migrate,
      into: '$.migration',
      once: true,
    }),
    reconcile: task(scope, 'Reconcile', {
      comment: 'The answer of Migrate was lost: asks the database whether it was committed.',
      function: functions.reconcile,
      into: '$.reconciliation',
      retry: {
        errors: [...LOST, 'DatabaseUnreachable', 'DatabaseBusy'],
        seconds: 10,
        attempts: 3,
      },
    }),
    validate: task(scope, 'Validate', {
      comment: 'Runs the checks that must hold after the upgrade.',
      function: functions.validate,
      into: '$.validation',
      retry: { errors: [...LOST, 'DatabaseUnreachable'], seconds: 10, attempts: 2 },
      payload: inPhase('after-upgrade'),
    }),
    schedule: task(scope, 'Schedule finalize', {
      comment:
        'Has what the upgrade retired dropped later, as the deployment says; until then it can come back.',
      function: functions.schedule,
      into: '$.scheduledFinalize',
      retry: { errors: [...LOST, 'FinalizeFailed'], seconds: 10, attempts: 2 },
    }),
    finalize: task(scope, 'Finalize', {
      comment: 'Drops what the upgrade retired; running it twice does no harm.',
      function: functions.finalize,
      into: '$.finalization',
      retry: { errors: [...LOST, 'FinalizeFailed'], seconds: 10, attempts: 2 },
    }),
    downgrade: task(scope, 'Downgrade', {
      comment: 'Takes back what this execution applied without losing a row; running it twice does no harm.',
      function: functions.downgrade,
      into: '$.downgrade',
      retry: { errors: [...LOST, 'DowngradeFailed'], seconds: 10, attempts: 2 },
    }),
    downgradeOnRequest: task(scope, 'Downgrade on request', {
      comment: 'Takes back the revisions that the input asks for, in one transaction.',
      function: functions.downgrade,
      into: '$.downgrade',
      once: true,
    }),
    validateDowngrade: task(scope, 'Validate downgrade', {
      comment: 'Runs the checks that must hold after the downgrade.',
      function: functions.validate,
      into: '$.downgradeValidation',
      retry: { errors: [...LOST, 'DowngradeFailed'], seconds: 10, attempts: 2 },
      payload: inPhase('after-downgrade'),
    }),
    summarize: task(scope, 'Summarize', {
      comment: 'Puts a short summary before the details.',
      function: functions.summarize,
      retry: { errors: [...LOST], seconds: 2, attempts: 1 },
    }),
  };
}

/** One function validates both directions: it gets the phase beside the document. */
function inPhase(phase: ValidationReport['phase']): TaskInput {
  return TaskInput.fromObject({ phase, state: JsonPath.entirePayload });
}
