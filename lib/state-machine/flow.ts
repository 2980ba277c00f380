// The flow of an execution, from the input to its end: which state follows which, and where an error leads.
import { Duration } from 'aws-cdk-lib';
import {
  Choice,
  Condition,
  JsonPath,
  Pass,
  Result,
  type State,
  Wait,
  WaitTime,
} from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { ENDINGS, type EndingName } from '../../lambda/migrator/model/errors.ts';
import { type Action, NO_SNAPSHOT, type Reconciliation } from '../../lambda/state.ts';
import type { Functions } from '../functions.ts';
import { createEndings } from './endings.ts';
import { CAUGHT, EXPLAINED, explain, format, on } from './states.ts';
import { createTasks } from './tasks.ts';

/** The engine's endings that mean: nothing was changed. */
const UNCHANGED = (Object.keys(ENDINGS) as EndingName[]).filter(
  (name) => ENDINGS[name].database === 'unchanged',
);

const actionIs = (action: Action) => Condition.stringEquals('$.request.action', action);
const isTrue = (path: string) => Condition.booleanEquals(path, true);
const directionIs = (direction: string) => Condition.stringEquals('$.plan.direction', direction);
const verdictIs = (verdict: Reconciliation['verdict']) =>
  Condition.stringEquals('$.reconciliation.verdict', verdict);
const somethingPending = Condition.isPresent('$.plan.pending[0]');
const somethingRetired = Condition.isPresent('$.validation.finalizePending[0]');
const hasUpgraded = (section: string) =>
  Condition.and(
    Condition.isPresent(`${section}.outcome`),
    Condition.stringEquals(`${section}.outcome`, 'upgraded'),
  );
/** If another execution was faster, only that one may take back or finalize what it did. */
const appliedHere = Condition.or(hasUpgraded('$.migration'), hasUpgraded('$.reconciliation.migration'));

/** Some of the transactions of this execution are committed; it has no report of the migration. */
const partlyApplied = Condition.and(
  Condition.isPresent('$.failure.Error'),
  Condition.stringEquals('$.failure.Error', 'PartlyApplied' satisfies EndingName),
);

/**
 * Builds all states in `scope` and returns the first.
 *
 * @param refusals names of the endings that revisions declare: each means that nothing was changed
 */
export function defineFlow(scope: Construct, functions: Functions, refusals: readonly string[]): State {
  const onUnchanged = () => on(...UNCHANGED, ...refusals);
  const onPartlyApplied = () => on('PartlyApplied');
  const ends = createEndings(scope);
  const tasks = createTasks(scope, functions);
  const choice = (name: string, comment: string) => new Choice(scope, name, { comment });

  const whatToDo = choice(
    'What is to do?',
    'Whether any revision is to run, and after a snapshot or without.',
  );
  const snapshotAvailable = choice('Snapshot available?', 'Nothing runs before it is.');
  const whichWay = choice('Which way?', 'Up or down, as planned.');
  const wasCommitted = choice('Was it committed?', 'As the database says.');
  const valid = choice(
    'Valid?',
    'Whether every check holds; if not, what this execution applied is taken back.',
  );
  const finalizeWanted = choice(
    'Finalize?',
    'Whether retired tables are dropped: now, later, or not, as the input and the deployment say.',
  );
  const downgradeValid = choice(
    'Downgrade valid?',
    'A downgrade that was not requested ends in failure, even if it went well.',
  );

  const receive = new Pass(scope, 'Receive input', {
    comment: 'Sets the input, which may be any JSON, beside the name of the execution.',
    parameters: {
      input: JsonPath.entirePayload,
      execution: {
        name: JsonPath.executionName,
        arn: JsonPath.executionId,
        stateMachineArn: JsonPath.stateMachineId,
        startedAt: JsonPath.executionStartTime,
      },
    },
  });
  receive.next(tasks.resolve);

  tasks.resolve
    .addCatch(ends.unchanged, on('InvalidInput', 'ConfigurationError', 'DatabaseUnreachable'))
    .catchRest(ends.misconfigured)
    .next(tasks.preflight);

  tasks.preflight.addCatch(ends.unchanged, onUnchanged()).catchRest(ends.unreachable).next(whatToDo);

  const withoutSnapshot = new Pass(scope, 'Without snapshot', {
    comment: 'Says in the document that there is none.',
    result: Result.fromObject(NO_SNAPSHOT),
    resultPath: '$.snapshot',
  });
  withoutSnapshot.next(whichWay);

  whatToDo
    .when(actionIs('plan'), tasks.summarize)
    .when(Condition.or(actionIs('status'), actionIs('finalize')), tasks.validate)
    .when(Condition.and(somethingPending, isTrue('$.request.snapshot')), tasks.takeSnapshot)
    .when(somethingPending, withoutSnapshot)
    .when(Condition.or(actionIs('downgrade'), directionIs('downgrade')), tasks.validateDowngrade)
    .otherwise(tasks.validate);

  tasks.takeSnapshot
    .addCatch(ends.unchanged, on('SnapshotFailed', 'SnapshotQuotaExceeded', 'ConfigurationError'))
    .catchRest(ends.noSnapshot)
    .next(snapshotAvailable);
  const waitForSnapshot = new Wait(scope, 'Wait for snapshot', {
    comment: 'RDS takes minutes.',
    time: WaitTime.duration(Duration.seconds(15)),
  });
  waitForSnapshot.next(tasks.takeSnapshot);
  snapshotAvailable
    .when(Condition.stringEquals('$.snapshot.status', 'available'), whichWay)
    .otherwise(waitForSnapshot);

  whichWay.when(directionIs('upgrade'), tasks.migrate).otherwise(tasks.downgradeOnRequest);

  const couldNotValidate = (name: string, why: string) =>
    new Pass(scope, name, {
      comment: 'If the checks could not run, the result is not valid.',
      parameters: { passed: false, cause: why },
      resultPath: '$.validation',
    }).next(valid);
  const checksFailed = couldNotValidate(
    'Validation could not run',
    format('The result could not be validated: {}', EXPLAINED),
  );
  const explainNotValidated = explain(scope, 'Explain validation failure', checksFailed);
  const checksLost = couldNotValidate(
    'Validation lost',
    format(
      'The function that runs the checks gave no answer ({}).\nHINT:  Its last lines in the log group of the functions say why; then start an execution with the action status.',
      CAUGHT,
    ),
  );

  tasks.migrate
    .addCatch(ends.unchanged, onUnchanged())
    .addCatch(explainNotValidated, onPartlyApplied())
    .catchRest(tasks.reconcile)
    .next(tasks.validate);

  tasks.reconcile
    .addCatch(ends.unknown, onUnchanged())
    .addCatch(explainNotValidated, onPartlyApplied())
    .catchRest(ends.unknownSilent)
    .next(wasCommitted);
  wasCommitted
    .when(verdictIs('committed'), tasks.validate)
    .when(verdictIs('rolled back'), ends.rolledBack)
    .otherwise(ends.elsewhere);

  tasks.validate.addCatch(explainNotValidated, onUnchanged()).catchRest(checksLost).next(valid);
  valid
    .when(isTrue('$.validation.passed'), finalizeWanted)
    .when(Condition.and(actionIs('upgrade'), Condition.or(appliedHere, partlyApplied)), tasks.downgrade)
    .otherwise(ends.invalid);

  const upgradeFinalizes = Condition.and(actionIs('upgrade'), isTrue('$.request.finalize'));
  const atOnce = Condition.numberEquals('$.request.finalizeAfterDays', 0);
  finalizeWanted
    .when(
      Condition.or(
        actionIs('finalize'),
        Condition.and(upgradeFinalizes, atOnce, Condition.or(appliedHere, Condition.not(somethingPending))),
      ),
      tasks.finalize,
    )
    .when(
      Condition.and(upgradeFinalizes, Condition.not(atOnce), appliedHere, somethingRetired),
      tasks.schedule,
    )
    .otherwise(tasks.summarize);

  tasks.schedule
    .addCatch(ends.finalizeFailed, on('FinalizeFailed'))
    .catchRest(ends.finalizeLost)
    .next(tasks.summarize);

  tasks.finalize
    .addCatch(ends.finalizeFailed, on('FinalizeFailed'))
    .addCatch(ends.moved, on('NotAtTarget'))
    .catchRest(ends.finalizeLost)
    .next(tasks.summarize);

  tasks.downgrade
    .addCatch(ends.downgradeFailed, on('DowngradeFailed'))
    .catchRest(ends.downgradeLost)
    .next(tasks.validateDowngrade);
  tasks.downgradeOnRequest
    .addCatch(ends.unchanged, onUnchanged())
    .addCatch(ends.downgradeFailed, on('OutcomeUnknown', 'PartlyApplied'))
    .catchRest(ends.downgradeLost)
    .next(tasks.validateDowngrade);

  tasks.validateDowngrade
    .addCatch(ends.downgradeFailed, on('DowngradeFailed'))
    .catchRest(ends.downgradeUnchecked)
    .next(downgradeValid);
  downgradeValid
    .when(Condition.not(isTrue('$.downgradeValidation.passed')), ends.downgradeInvalid)
    .when(actionIs('downgrade'), tasks.summarize)
    .otherwise(ends.downgraded);

  // The execution has succeeded, whether or not its summary could be made.
  tasks.summarize.catchRest(ends.succeeded).next(ends.succeeded);

  return receive;
}
