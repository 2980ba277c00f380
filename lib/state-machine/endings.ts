// Every way in which an execution ends: what it says, and what it promises about the database.
import { type Fail, type Pass, Succeed } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { compose, EXPLAINED, explain, fail, failPrepared, format } from './bricks.ts';

/** By name: the state to go to, be it the end itself or the one that prepares its sentence. */
export function createEndings(scope: Construct) {
  return {
    succeeded: new Succeed(scope, 'Succeeded', {
      comment: 'The database is where it was asked to be, and its checks hold.',
    }),
    ...beforeAnyChange(scope),
    ...afterMigrate(scope),
    ...afterFinalize(scope),
    ...afterDowngrade(scope),
  };
}

function beforeAnyChange(scope: Construct) {
  const unchanged = failPrepared(
    scope,
    'Failed, database unchanged',
    'Nothing of this execution was committed.',
  );
  return {
    unchanged: explain(scope, 'Explain failure', unchanged),
    misconfigured: fail(
      scope,
      'Configuration error',
      'The input could not be resolved; nothing was changed.',
      {
        error: 'ConfigurationError',
        cause:
          'The function that resolves the input did not answer as it should; nothing was changed.\nHINT:  ' +
          'Its last lines in the log group of the functions say why; most often a permission or a setting of ' +
          'the deployment is missing: deploy the stack again, and start a new execution.',
      },
    ),
    unreachable: fail(scope, 'Database unreachable', 'Preflight did not answer; nothing was changed.', {
      error: 'DatabaseUnreachable',
      cause:
        'Preflight did not answer; nothing was changed.\nHINT:  Most often its subnets cannot reach the database or ' +
        'Secrets Manager: check that the security group of the database admits the functions on its port, and ' +
        'that the subnets have an endpoint for Secrets Manager or a NAT gateway. The log group of the ' +
        'functions shows how far it came.',
    }),
    noSnapshot: fail(scope, 'Snapshot failed', 'The snapshot could not be taken; nothing was changed.', {
      error: 'SnapshotFailed',
      cause:
        'The function that takes the snapshot did not answer as it should; the database is unchanged.\nHINT:  ' +
        'Its last lines in the log group of the functions say why. Start a new execution.',
    }),
  };
}

function afterMigrate(scope: Construct) {
  const unknown = failPrepared(
    scope,
    'Outcome unknown',
    'The migration may or may not be committed; a person has to look.',
    'OutcomeUnknown',
  );
  return {
    rolledBack: fail(scope, 'Migration rolled back', 'The answer was lost, and nothing was committed.', {
      error: 'MigrationFailed',
      causePath: '$.reconciliation.message',
    }),
    elsewhere: fail(scope, 'Revision moved', 'The database is neither where it was nor at the target.', {
      error: 'OutcomeUnknown',
      causePath: '$.reconciliation.message',
    }),
    ...becauseOf(scope, 'unknown', {
      name: 'Outcome unknown, with remedy',
      comment: 'Says how to find out, and how to restore.',
      template:
        'The answer of the migration was lost, and the database could not be asked what is true: {}\nHINT:  Once it answers, start an execution with the action status. To go back to the snapshot: {}',
      paths: ['$.snapshot.restoreCommand'],
      end: unknown,
    }),
    invalid: fail(
      scope,
      'Validation failed',
      'Checks do not hold; there is nothing of this execution to take back.',
      {
        error: 'ValidationFailed',
        causePath: '$.validation.cause',
      },
    ),
  };
}

function afterFinalize(scope: Construct) {
  const failed = failPrepared(
    scope,
    'Finalize failed',
    'The database is at the target and valid; retired tables may still be there.',
    'FinalizeFailed',
  );
  return {
    moved: explain(
      scope,
      'Explain move',
      failPrepared(
        scope,
        'Moved after validation',
        'Somebody else moved the database after it had been validated; nothing was dropped.',
        'NotAtTarget',
      ),
    ),
    finalizeFailed: explain(scope, 'Explain finalize failure', failed),
    scheduleLost: fail(
      scope,
      'Schedule lost',
      'The database is at the target and valid; nobody may come to finalize it.',
      {
        error: 'FinalizeFailed',
        cause:
          'The function that schedules the finalize did not answer as it should. The database is at the target and ' +
          'valid; the retired tables are still there.\nHINT:  When you no longer want the way back, start an ' +
          'execution with {"action": "finalize"}.',
      },
    ),
    finalizeLost: fail(scope, 'Finalize lost', 'The database is at the target and valid.', {
      error: 'FinalizeFailed',
      cause:
        'Finalize did not answer as it should. The database is at the target and valid; retired tables may ' +
        'still be there.\nHINT:  Start a new execution with {"action": "finalize"}.',
    }),
  };
}

function afterDowngrade(scope: Construct) {
  const failed = failPrepared(
    scope,
    'Downgrade failed',
    'The downgrade did not complete, or could not be validated; a person has to look.',
    'DowngradeFailed',
  );
  return {
    downgradeFailed: explain(scope, 'Explain downgrade failure', failed),
    downgradeLost: compose(
      scope,
      'Downgrade lost, with remedy',
      'Says how to find out, and how to restore.',
      format(
        'The downgrade did not answer as it should ({}); the database is as before it or as after it.\nHINT:  Start an execution with the action status to see which. To go back to the snapshot: {}',
        '$.failure.Error',
        '$.snapshot.restoreCommand',
      ),
      failed,
    ),
    ...becauseOf(scope, 'downgradeUnchecked', {
      name: 'Downgrade not validated',
      comment: 'Says why the checks could not run.',
      template:
        'The database is downgraded, but its checks could not run: {}\nHINT:  Start an execution with the action status.',
      end: failed,
    }),
    downgradeInvalid: fail(scope, 'Downgrade invalid', 'After the downgrade, checks do not hold.', {
      error: 'DowngradeFailed',
      causePath: '$.downgradeValidation.cause',
    }),
    downgraded: fail(
      scope,
      'Validation failed, downgraded',
      'Checks did not hold after the upgrade; the database is as before it.',
      { error: 'ValidationFailed', causePath: '$.downgradeValidation.cause' },
    ),
  };
}

interface Reason {
  readonly name: string;
  readonly comment: string;
  /** The sentence; its first `{}` is the reason. */
  readonly template: string;
  /** What the other `{}` of the template are. */
  readonly paths?: readonly string[];
  readonly end: Fail;
}

/**
 * Two ways to the same end: `<key>` for what a function threw, with its message, and `<key>Silent` for what has none,
 * such as a timeout, with its name.
 */
function becauseOf<K extends string>(scope: Construct, key: K, reason: Reason) {
  const { name, comment, template, paths = [], end } = reason;
  const say = (id: string, why: string) => compose(scope, id, comment, format(template, why, ...paths), end);
  return {
    [key]: explain(scope, `${name}: explain`, say(`${name}, explained`, EXPLAINED)),
    [`${key}Silent`]: say(name, '$.failure.Error'),
  } as Record<K | `${K}Silent`, Pass>;
}
