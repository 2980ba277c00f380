// Every way in which an execution ends: its sentence, and its promise about the database.
import { Fail, Succeed } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { CAUGHT, EXPLAINED, explain, fail, failAsExplained, format } from './states.ts';

/** How to restore, as the state knows it that took the snapshot, or did not. */
const RESTORE = '$.snapshot.restore';

/** By name: the state to go to, which is the end itself or a state that takes out a message for it. */
export function createEndings(scope: Construct) {
  return {
    succeeded: new Succeed(scope, 'Succeeded', {
      comment: 'The database is at its target, and its checks hold.',
    }),
    ...beforeAnyChange(scope),
    ...afterMigrate(scope),
    ...afterFinalize(scope),
    ...afterDowngrade(scope),
  };
}

function beforeAnyChange(scope: Construct) {
  return {
    unchanged: explain(
      scope,
      'Explain failure',
      failAsExplained(scope, 'Failed, database unchanged', 'Nothing of this execution was committed.'),
    ),
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
  const unknown = (name: string, why: string) =>
    fail(scope, name, 'The migration may or may not be committed; a person has to look.', {
      error: 'OutcomeUnknown',
      causePath: format(
        'The answer of the migration was lost, and the database could not be asked what is true: {}\nHINT:  Once it answers, start an execution with the action status. {}',
        why,
        RESTORE,
      ),
    });
  return {
    rolledBack: fail(scope, 'Migration rolled back', 'The answer was lost, and nothing was committed.', {
      error: 'MigrationFailed',
      causePath: '$.reconciliation.message',
    }),
    elsewhere: fail(scope, 'Revision moved', 'The database is neither where it was nor at the target.', {
      error: 'OutcomeUnknown',
      causePath: '$.reconciliation.message',
    }),
    unknown: explain(scope, 'Explain unknown outcome', unknown('Outcome unknown', EXPLAINED)),
    unknownSilent: unknown('Outcome unknown, no answer', CAUGHT),
    invalid: fail(
      scope,
      'Validation failed',
      'Checks do not hold; there is nothing of this execution to take back.',
      { error: 'ValidationFailed', causePath: '$.validation.cause' },
    ),
  };
}

function afterFinalize(scope: Construct) {
  return {
    moved: explain(
      scope,
      'Explain move',
      fail(
        scope,
        'Moved after validation',
        'Another run moved the database after it had been validated; nothing was dropped.',
        { error: 'NotAtTarget', causePath: EXPLAINED },
      ),
    ),
    finalizeFailed: explain(
      scope,
      'Explain finalize failure',
      fail(
        scope,
        'Finalize failed',
        'The database is at the target and valid; retired tables may still be there.',
        { error: 'FinalizeFailed', causePath: EXPLAINED },
      ),
    ),
    finalizeLost: fail(
      scope,
      'Finalize lost',
      'The database is at the target and valid; whether it is finalized, or will be, is not known.',
      {
        error: 'FinalizeFailed',
        cause:
          'The function that finalizes, or schedules it, did not answer as it should. The database is at the target and ' +
          'valid; retired tables may still be there.\nHINT:  To drop them, start an execution with {"action": "finalize"}.',
      },
    ),
  };
}

function afterDowngrade(scope: Construct) {
  return {
    downgradeFailed: explain(
      scope,
      'Explain downgrade failure',
      fail(
        scope,
        'Downgrade failed',
        'The downgrade did not complete, or could not be validated; a person has to look.',
        { error: 'DowngradeFailed', causePath: EXPLAINED },
      ),
    ),
    downgradeLost: fail(scope, 'Downgrade lost', 'The downgrade did not answer; a person has to look.', {
      error: 'DowngradeFailed',
      causePath: format(
        'The downgrade did not answer as it should ({}); the database is as before it or as after it.\nHINT:  Start an execution with the action status to see which. {}',
        CAUGHT,
        RESTORE,
      ),
    }),
    downgradeUnchecked: fail(
      scope,
      'Downgrade not validated',
      'The checks did not answer after the downgrade; a person has to look.',
      {
        error: 'DowngradeFailed',
        causePath: format(
          'The database is downgraded, but its checks could not run: their function did not answer as it should ({})\nHINT:  Start an execution with the action status.',
          CAUGHT,
        ),
      },
    ),
    downgradeInvalid: new Fail(scope, 'Downgrade invalid', {
      comment:
        'After the downgrade, checks do not hold, or the schema is not as before; a person has to look.',
      errorPath: '$.downgradeValidation.error',
      causePath: '$.downgradeValidation.cause',
    }),
    downgraded: new Fail(scope, 'Failed, downgraded', {
      comment: 'The upgrade was taken back: its checks did not hold, or it was not completed.',
      errorPath: '$.downgradeValidation.error',
      causePath: '$.downgradeValidation.cause',
    }),
  };
}
