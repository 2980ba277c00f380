// The end of a run by hand: the checks after its COMMIT, and the error or the downgrade if one does not hold.
import { validate } from '../../lambda/migrator/inspect.ts';
import { downgrade } from '../../lambda/migrator/migrator.ts';
import { textsOf } from '../../lambda/migrator/model/bounded.ts';
import { describeViolations } from '../../lambda/migrator/model/describe.ts';
import { describeChange } from '../../lambda/migrator/model/differences.ts';
import { BackstopError, type EndingName } from '../../lambda/migrator/model/errors.ts';
import { describeLost, describeSchema, isIncomplete } from '../../lambda/migrator/model/lost.ts';
import type { DatabaseVerdict, RunReport } from '../../lambda/migrator/model/report.ts';
import { verdictLines } from '../../lambda/migrator/model/verdict.ts';
import type { MigratorOptions } from '../../lambda/migrator/session/session.ts';
import { FAILED } from './exit-status.ts';
import { describeFailure } from './failure.ts';
import { runResult } from './outcome.ts';
import { keepProofs } from './proofs.ts';
import { failureOfRehearsal } from './rehearsal.ts';
import type { Call, OptionWords, VerbResult } from './verb.ts';
import { voiceOf } from './voice.ts';

export interface CheckOptions {
  /** False for `--no-check`. */
  readonly check?: boolean;
  readonly stepBack?: boolean;
}

export const noCheck: OptionWords = {
  flags: '--no-check',
  description: 'run no check after the run; in a dry run, take nothing back either',
};

/** The result of a run, and why it is not valid although it did not fail. */
export interface Finished extends VerbResult {
  readonly failure?: BackstopError | undefined;
}

/** Runs the checks of where the run has led, if it was committed. */
export async function finish(
  call: Call<CheckOptions>,
  migrator: MigratorOptions,
  report: RunReport,
): Promise<Finished> {
  const { lines } = runResult(call, migrator, report);
  if (report.outcome === 'rehearsed') {
    if (report.direction === 'upgrade') keepProofs(call.terminal, migrator.database, report);
    return withFailure(lines, report, failureOfRehearsal(report));
  }
  const isChecked = report.outcome === 'upgraded' || report.outcome === 'downgraded';
  const left = isIncomplete(report) ? incomplete(migrator, report) : undefined;
  if (!isChecked || call.options.check === false) return withFailure(lines, report, left);
  const phase = report.outcome === 'upgraded' ? 'after-upgrade' : 'after-downgrade';
  const validation = await orError(() => validate(migrator, phase, report.to));
  if (validation instanceof BackstopError || !validation.passed) {
    const failure = await fail(call, migrator, report, validation);
    return withFailure(lines, { ...report, ...(validation instanceof Error ? {} : { validation }) }, failure);
  }
  if (left) return withFailure(lines, { ...report, validation }, left);
  const shown = verdictLines(validation.checks);
  const verdict = { phase, passed: shown.length, failed: 0, durationMs: validation.durationMs } as const;
  const told = shown.length > 0 ? voiceOf(migrator.database, call.terminal).validated(verdict) : [];
  return { lines: [...lines, ...told], json: { ...report, validation } };
}

/** The result of a verb: the failure is printed below the lines of the run. */
export function asResult(
  call: Call,
  migrator: MigratorOptions,
  { failure, ...result }: Finished,
): VerbResult {
  if (!failure) return result;
  for (const line of result.lines) call.tell(line);
  const voice = voiceOf(migrator.database, call.terminal);
  for (const line of describeFailure(failure, call.terminal, voice).lines) call.terminal.err(line);
  return { ...result, lines: [], status: FAILED };
}

function withFailure(lines: readonly string[], json: object, failure: BackstopError | undefined): Finished {
  if (!failure) return { lines, json };
  const { name: error, summary: message, detail, hint } = failure;
  return { lines, json: { ...json, error, message, detail, hint }, failure };
}

/** The ending of a run whose checks do not hold, or could not run. */
async function fail(
  call: Call<CheckOptions>,
  migrator: MigratorOptions,
  report: RunReport,
  validation: DatabaseVerdict | BackstopError,
): Promise<BackstopError> {
  const { direction, from, to } = report;
  const named = (verb: string) => `npx backstop ${verb} --database ${migrator.database.definition.name}`;
  const [why, detail] = explain(validation);
  if (direction === 'upgrade' && call.options.stepBack) return stepBack(migrator, report, why, detail);
  const again = `Correct the cause, then: ${named(direction === 'upgrade' ? 'check' : 'check after-downgrade')}`;
  const ending: EndingName = direction === 'upgrade' ? 'ValidationFailed' : 'DowngradeFailed';
  return new BackstopError(ending, {
    message: `The ${direction} to ${to} is committed, but ${why}`,
    detail:
      direction === 'upgrade'
        ? detail
        : [detail, describeSchema(report), describeLost(report, { lossless: false })],
    hint:
      direction === 'upgrade' ? `${again}; or take the upgrade back: ${named(`downgrade ${from}`)}` : again,
  });
}

/** The ending of a downgrade that has left the schema otherwise than before the upgrade, although its checks hold. */
function incomplete(migrator: MigratorOptions, report: RunReport): BackstopError {
  const { name } = migrator.database.definition;
  return new BackstopError('DowngradeIncomplete', {
    message: `The downgrade to ${report.to} is committed, and the schema is not as it was before the upgrade`,
    detail: [
      ...textsOf(report.comparison ?? {}, 'changes', describeChange),
      describeLost(report, { lossless: false }),
    ],
    hint: `Correct by hand what differs, and the downgrade.sql for the next time: npx backstop fingerprint --lines --database ${name}`,
  });
}

/** Takes the upgrade back as the state machine does: with every row, and only if nothing would be lost. */
async function stepBack(
  migrator: MigratorOptions,
  { from, to, retired }: RunReport,
  why: string,
  detail: string,
): Promise<BackstopError> {
  const back = await orError(() =>
    downgrade(migrator, from, { withRows: retired.length > 0, lossless: true }),
  );
  if (back instanceof BackstopError) {
    return new BackstopError('DowngradeFailed', {
      message: `After the upgrade to ${to} ${why}, and the downgrade to ${from} failed`,
      detail: `${back.summary}. Before it: ${detail}`,
      hint: back.hint?.split('\n'),
    });
  }
  const validation = await orError(() => validate(migrator, 'after-downgrade', from));
  const state = [describeSchema(back), describeLost(back, { lossless: true })];
  if (validation instanceof BackstopError || !validation.passed) {
    const [still, more] = explain(validation);
    return new BackstopError('DowngradeFailed', {
      message: `After the upgrade to ${to} ${why}; the database was downgraded to ${from}, but ${still}`,
      detail: [more, ...state],
      hint: 'Correct what the checks name.',
    });
  }
  return new BackstopError(isIncomplete(back) ? 'DowngradeIncomplete' : 'ValidationFailed', {
    message: `After the upgrade to ${to} ${why}; the database was downgraded to ${from}`,
    detail: [...state, detail],
    hint: isIncomplete(back)
      ? 'Correct by hand what differs, then upgrade again.'
      : 'Correct the cause, then upgrade again.',
  });
}

/** `1 of 2 checks of 002 does not hold`, and which. */
function explain(validation: DatabaseVerdict | BackstopError): [why: string, detail: string] {
  if (validation instanceof BackstopError) return ['its checks could not run', validation.summary];
  const { revision, checks } = validation;
  const failed = checks.filter(({ passed }) => !passed);
  const all = checks.length === 1 ? '1 check' : `${checks.length} checks`;
  return [
    `${failed.length} of ${all} of ${revision} ${failed.length === 1 ? 'does' : 'do'} not hold`,
    failed.map(({ id, title, violations }) => `${id} ${title}: ${describeViolations(violations)}`).join('; '),
  ];
}

/** The run is committed whatever happens now: an error is reported together with that. */
async function orError<T>(work: () => Promise<T>): Promise<T | BackstopError> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BackstopError) return error;
    throw error;
  }
}
