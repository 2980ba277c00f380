// Validate: runs the checks of the revision, after the upgrade or after the downgrade, and says how to go on.
import { validate } from './migrator/inspect.ts';
import type { CheckReport, RevisionId, Standing, ValidationReport } from './migrator/model/report.ts';
import { isDrill } from './runtime/drill.ts';
import { makeHandler } from './runtime/handler.ts';
import { measureChecks } from './runtime/metrics.ts';
import { migratorOptions } from './runtime/migrator-options.ts';
import { committedMigration, type ExecutionState, type Validation } from './state.ts';

interface Input {
  readonly phase: 'after-upgrade' | 'after-downgrade';
  readonly state: ExecutionState;
}

export const handler = makeHandler(
  { step: 'Validate', stateOf: ({ state }: Input) => state, measure: measureChecks },
  async ({ phase, state }, tools): Promise<Validation> => {
    const report = await validate(migratorOptions(state, tools), phase, expectedRevision(phase, state));
    const judged =
      phase === 'after-upgrade' && isDrill(state, 'validation-failure') ? withDrill(report) : report;
    return {
      ...judged,
      cause:
        phase === 'after-upgrade' ? causeAfterUpgrade(judged, state) : causeAfterDowngrade(judged, state),
    };
  },
);

/** Where the execution has brought the database; somebody else may have moved it since. */
function expectedRevision(
  phase: Input['phase'],
  { plan, downgrade }: ExecutionState,
): RevisionId | undefined {
  return phase === 'after-upgrade' ? plan?.to : (downgrade?.to ?? plan?.to);
}

/** The drill for a wrong result: one more check, which does not hold. */
function withDrill(report: Standing): Standing {
  const check: CheckReport = {
    revision: report.revision,
    id: 'V0.0',
    title: 'drill: a check that does not hold',
    shownAs: ['V0.0 drill: a check that does not hold'],
    passed: false,
    violations: 1,
    rows: [{ drill: 'validation-failure' }],
    durationMs: 0,
  };
  return { ...report, passed: false, checks: [...report.checks, check] };
}

function causeOf({ revision, passed, checks }: ValidationReport): string {
  if (passed) return '';
  const failed = checks.filter((check) => !check.passed);
  return [
    `${failed.length} of ${checks.length} checks of ${revision} do not hold`,
    ...failed.map(
      ({ id, title, violations, rows }) =>
        `${id} ${title}: ${violations} rows, e.g. ${JSON.stringify(rows[0])}`,
    ),
  ].join('\nDETAIL:  ');
}

/** The sentence with which an execution ends that applied nothing; after any other a downgrade has the last word. */
function causeAfterUpgrade(report: ValidationReport, state: ExecutionState): string {
  const cause = causeOf(report);
  if (report.passed || committedMigration(state)) return cause;
  return `${cause}\nHINT:  This execution applied nothing, so nothing was taken back. Correct what the checks name, then start a new execution.`;
}

/** The sentence with which an execution ends that stepped back. */
function causeAfterDowngrade(
  report: ValidationReport,
  { plan, validation, downgrade, snapshot }: ExecutionState,
): string {
  const where = downgrade
    ? `The database was downgraded to ${downgrade.to}`
    : `The database was at ${plan?.to} already`;
  if (!report.passed) {
    const remedy = snapshot
      ? `Restore from the snapshot if rows are missing: ${snapshot.restoreCommand}`
      : 'Correct what the checks name, then start a new execution.';
    return `${where}, but ${causeOf(report)}\nHINT:  ${remedy}`;
  }
  return [
    validation?.cause,
    `${where}, and all ${report.checks.length} checks after the downgrade hold.`,
    `HINT:  Nothing is lost. Correct the cause, then start a new execution.`,
  ]
    .filter(Boolean)
    .join('\n');
}
