// An execution in a few lines, made from its document: for its output, and for the message about its end.
import { countOf, textsOf } from './migrator/model/bounded.ts';
import { describeTransactions, seconds } from './migrator/model/describe.ts';
import { describeChanges } from './migrator/model/differences.ts';
import type { DatabaseState } from './migrator/model/errors.ts';
import { describeLosses } from './migrator/model/losing.ts';
import { printable } from './migrator/model/printable.ts';
import type { Plan, RevisionId, RunReport } from './migrator/model/report.ts';
import { committedMigration, type ExecutionState, type Summary, takenSnapshot } from './state.ts';

/** How an execution failed. */
export interface Failure {
  readonly ending: Summary['ending'];
  /** The promise of the ending about the database. */
  readonly database: DatabaseState;
  /** The sentence with which it ended. */
  readonly cause: string;
}

/**
 * @param state the document as the last state left it; of an execution that failed early it lacks sections
 * @param failure absent where the execution succeeded
 */
export function summarize(state: Partial<ExecutionState>, failure?: Failure): Summary {
  const pending = pendingFinalize(state);
  const finalizeAt = state.scheduledFinalize?.at ?? null;
  const known = {
    action: state.request?.action ?? null,
    database: state.request?.database ?? null,
    revisionBefore: state.plan?.from ?? null,
    revisionAfter: failure ? revisionAfterFailure(state, failure.database) : revisionAfter(state),
    snapshot: takenSnapshot(state)?.id ?? null,
    finalizePending: pending,
    finalizeAt,
  };
  return failure
    ? { ending: failure.ending, message: failure.cause, ...known }
    : { ending: 'Succeeded', message: successMessage(state, pending, finalizeAt), ...known };
}

function successMessage(
  state: Partial<ExecutionState>,
  pending: readonly RevisionId[],
  finalizeAt: string | null,
): string {
  const { request, plan, validation, downgradeValidation, finalization, reconciliation } = state;
  if (request?.action === 'plan') return describePlan(plan);
  const run = committedMigration(state) ?? state.downgrade;
  const verdict = downgradeValidation ?? validation;
  const all = verdict ? countOf(verdict, 'checks') : 0;
  const failed = verdict?.checks.filter(({ passed }) => !passed).length ?? 0;
  return [
    run ? `${run.from} -> ${run.to} in one transaction.` : `Already at ${plan?.to}.`,
    reconciliation?.message,
    `${all - failed} of ${all} checks hold.`,
    describeFinalize(finalization),
    describePending(pending, finalizeAt),
  ]
    .filter(Boolean)
    .join('\n');
}

/** The facts that a person needs to approve the run. */
function describePlan(plan: Plan | undefined): string {
  const { from, to, transactions, retires = [], estimate } = plan ?? {};
  const pending = plan ? textsOf(plan, 'pending') : [];
  if (pending.length === 0) return `Already at ${to}, nothing to do.`;
  const [longest] = [...(estimate?.tables ?? [])].sort((a, b) => b.lockMs - a.lockMs);
  return [
    `At ${from}, target ${to}: ${pending.join(', ')} to run${describeTransactions(transactions)}.`,
    plan?.drift && `The schema has changed since the last run: ${describeChanges(plan.drift)}.`,
    plan?.losses && `It takes away for good: ${describeLosses(plan).join('; ')}.`,
    retires.length > 0 && `To be retired: ${textsOf(plan ?? {}, 'retires').join(', ')}.`,
    plan?.checksum && `Checksum of this plan: ${plan.checksum}.`,
    estimate && `Estimated: ${seconds(estimate.durationMs)} in all.`,
    longest && `${longest.relation} locked for ${seconds(longest.lockMs)}.`,
  ]
    .filter((line) => line !== undefined && line !== false)
    .map(printable)
    .join('\n');
}

function describeFinalize(finalization: RunReport | undefined): string {
  const dropped = finalization ? countOf(finalization, 'dropped') : 0;
  return dropped > 0 ? `Finalized: ${dropped} retired tables dropped.` : '';
}

function describePending(pending: readonly RevisionId[], finalizeAt: string | null): string {
  if (pending.length === 0) return '';
  const when = finalizeAt
    ? `they are dropped at ${finalizeAt}; until then a downgrade loses no row`
    : 'start an execution with {"action": "finalize"} to drop them';
  return `The tables that ${pending.join(', ')} retired are still there: ${when}.`;
}

function revisionAfter({ request, plan, downgrade }: Partial<ExecutionState>): RevisionId | null {
  if (request?.action === 'plan') return plan?.from ?? null;
  return downgrade?.to ?? plan?.to ?? null;
}

/** As the ending promises; null if it promises nothing. */
function revisionAfterFailure({ plan }: Partial<ExecutionState>, database: DatabaseState): RevisionId | null {
  switch (database) {
    case 'unchanged':
    case 'downgraded':
      return plan?.from ?? null;
    case 'at target':
      return plan?.to ?? null;
    case 'needs a person':
      return null;
  }
}

/** Revisions whose retired tables still exist, as of the last query of the database. */
function pendingFinalize(state: Partial<ExecutionState>): readonly RevisionId[] {
  const { plan, validation, downgradeValidation, finalization } = state;
  if (finalization) return [];
  return (downgradeValidation ?? validation ?? plan)?.finalizePending ?? [];
}

/** The output of an execution: the document, behind its summary. */
export interface Output extends Partial<ExecutionState> {
  readonly summary: Summary;
  /** Where the sections are that are not here because they are too large. */
  readonly details?: { readonly history: string; readonly logGroup: string } | undefined;
}

/** Step Functions keeps 256 KiB, and the console shows them badly. */
const LONGEST_OUTPUT = 64 * 1024;

/** The document with its summary first; without the sections that list steps and checks, where these are large. */
export function outputOf(state: ExecutionState): Output {
  const summary = summarize(state);
  const output: Output = { summary, ...state };
  if (Buffer.byteLength(JSON.stringify(output)) <= LONGEST_OUTPUT) return output;
  const { request, execution, instance, plan, snapshot, scheduledFinalize } = state;
  return {
    summary,
    details: {
      history: `SELECT report FROM backstop.history WHERE execution_arn = '${execution.arn}'`,
      logGroup: process.env.AWS_LAMBDA_LOG_GROUP_NAME ?? '',
    },
    request,
    execution,
    instance,
    ...(plan && { plan }),
    ...(snapshot && { snapshot }),
    ...(scheduledFinalize && { scheduledFinalize }),
  };
}
