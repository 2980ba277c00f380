// The findings of a dry run, in lines, and the error if a real run would not be valid.

import { describeViolations } from '../../lambda/migrator/model/describe.ts';
import { BackstopError } from '../../lambda/migrator/model/errors.ts';
import type { Rehearsed, RunReport } from '../../lambda/migrator/model/report.ts';

/** A line for each revision: `002: 15 checks hold; it can be taken back: proved`. */
export function describeRehearsal({ rehearsal = [] }: RunReport): string[] {
  return rehearsal.map(
    (found) => `${found.revision}: ${[describeChecks(found), ...describeWayBack(found)].join('; ')}`,
  );
}

function describeChecks({ passed, checks, fault }: Rehearsed): string {
  if (fault !== undefined) return `its checks could not run (${fault})`;
  if (checks.length === 0) return 'no checks';
  const all = checks.length === 1 ? '1 check' : `${checks.length} checks`;
  if (passed) return checks.length === 1 ? '1 check holds' : `${all} hold`;
  const failed = checks.filter((check) => !check.passed);
  const which = failed.map(
    ({ id, title, violations }) => `${id} ${title}: ${describeViolations(violations)}`,
  );
  return `${failed.length} of ${all} ${failed.length === 1 ? 'does' : 'do'} not hold (${which.join('; ')})`;
}

const WAY_BACK: Readonly<Record<NonNullable<Rehearsed['reversible']>, string>> = {
  yes: 'it can be taken back: proved',
  'with loss': 'it can be taken back only with a loss',
  no: 'it cannot be taken back',
  unknown: 'whether it can be taken back is not known before COMMIT',
};

function describeWayBack({ reversible, because }: Rehearsed): string[] {
  if (reversible === undefined) return [];
  if (reversible === 'yes' && because !== undefined) {
    return [`it can be taken back: its schema is proved, its values are not (${because})`];
  }
  return [[WAY_BACK[reversible], because].filter(Boolean).join(': ')];
}

/** The error of a dry run whose run would not be valid, or could not be taken back; undefined if all is well. */
export function failureOfRehearsal(report: RunReport): BackstopError | undefined {
  const wrong = (report.rehearsal ?? []).filter(({ passed, reversible }) => !passed || reversible === 'no');
  const [first, ...others] = describeRehearsal({ ...report, rehearsal: wrong });
  if (first === undefined) return undefined;
  return new BackstopError('MigrationFailed', {
    message: `The dry run of the ${report.direction} failed: ${first}`,
    detail: [...others, 'Everything was rolled back.'].join('. '),
    hint: 'Correct the revision, then run it again. With --no-check a dry run ends before the checks and the way back.',
  });
}
