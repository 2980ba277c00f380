// Validate: runs the checks of the revision, after the upgrade or after the downgrade, and says how to go on.
import { validate } from './migrator/inspect.ts';
import { describeLost, describeSchema, isIncomplete, lossesOf } from './migrator/model/lost.ts';
import { printable, toJson } from './migrator/model/printable.ts';
import type { CheckReport, DatabaseVerdict, ValidationReport } from './migrator/model/report.ts';
import { isDrill } from './runtime/drill.ts';
import { makeHandler, orEndAs, type Tools } from './runtime/handler.ts';
import { measureChecks } from './runtime/metrics.ts';
import { migratorOptions } from './runtime/migrator-options.ts';
import { committedMigration, isPartlyApplied, type StateWith, type Validation } from './state.ts';

interface Input {
  readonly phase: 'after-upgrade' | 'after-downgrade';
  readonly state: StateWith<'plan'>;
}

/** A downgrade that was not validated needs a person, whatever kept the checks from running. */
const NOT_VALIDATED = {
  message: 'The database is downgraded, but its checks could not run',
  hint: 'Start an execution with the action status.',
};

export const handler = makeHandler(
  { step: 'Validate', needs: ['plan'], stateOf: ({ state }: Input) => state, measure: measureChecks },
  async ({ phase, state }, tools): Promise<Validation> =>
    phase === 'after-upgrade'
      ? validateUpgrade(state, tools)
      : orEndAs('DowngradeFailed', NOT_VALIDATED, () => validateDowngrade(state, tools)),
);

async function validateUpgrade(state: Input['state'], tools: Tools): Promise<Validation> {
  const report = await validate(migratorOptions(state, tools), 'after-upgrade', state.plan.to);
  const judged = isDrill(state, 'validation-failure') ? withDrill(report) : report;
  return { ...judged, error: 'ValidationFailed', cause: causeAfterUpgrade(judged, state) };
}

/** Nothing was downgraded if the database was at the target already. */
async function validateDowngrade(state: Input['state'], tools: Tools): Promise<Validation> {
  const { downgrade, plan } = state;
  const report = await validate(migratorOptions(state, tools), 'after-downgrade', (downgrade ?? plan).to);
  const isWhole = downgrade === undefined || !isIncomplete(downgrade);
  const passed = report.passed && isWhole;
  return {
    ...report,
    passed,
    error: endingOf(report, isWhole, state),
    cause: causeAfterDowngrade(report, state),
  };
}

function endingOf({ passed }: DatabaseVerdict, isWhole: boolean, state: Input['state']): Validation['error'] {
  if (!passed) return 'DowngradeFailed';
  if (!isWhole) return 'DowngradeIncomplete';
  return isPartlyApplied(state) ? 'PartlyApplied' : 'ValidationFailed';
}

/** The drill for a wrong result: one more check, which does not hold. */
function withDrill(report: DatabaseVerdict): DatabaseVerdict {
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
        `${id} ${title}: ${violations} ${violations === 1 ? 'row' : 'rows'}, e.g. ${toJson(rows[0])}`,
    ),
  ]
    .map(printable)
    .join('\nDETAIL:  ');
}

/** The sentence with which an execution ends that applied nothing; after any other a downgrade has the last word. */
function causeAfterUpgrade(report: ValidationReport, state: Input['state']): string {
  const cause = causeOf(report);
  if (report.passed || committedMigration(state)) return cause;
  return `${cause}\nHINT:  This execution applied nothing, so nothing was taken back. Correct what the checks name, then start a new execution.`;
}

/**
 * The sentence with which an execution ends that stepped back: the state of the database, the losses, the checks that
 * failed, the next step, and last the restore, which loses the most.
 */
function causeAfterDowngrade(
  report: ValidationReport,
  { request, plan, validation, downgrade, snapshot }: Input['state'],
): string {
  const where = downgrade
    ? `The database was downgraded to ${downgrade.to}`
    : `The database was at ${plan.to} already`;
  const checks = report.passed ? 'all checks after the downgrade hold.' : causeOf(report);
  const isWhole = downgrade === undefined || !isIncomplete(downgrade);
  const isWell = report.passed && isWhole;
  const lost = downgrade ? lossesOf(downgrade) : [];
  return [
    `${where}, ${report.passed ? 'and' : 'but'} ${checks}`,
    downgrade && describeSchema(downgrade),
    downgrade && describeLost(downgrade, { lossless: request.action !== 'downgrade' }),
    validation?.cause && `Before it: ${validation.cause}`,
    `HINT:  ${isWell ? 'Correct the cause' : `Correct ${isWhole ? 'what the checks name' : 'by hand what differs'}`}, then start a new execution.`,
    (!isWell || lost.length > 0) && snapshot?.restore,
  ]
    .filter(Boolean)
    .join('\n');
}
