// The interface of a voice: everything for which it must have words.
import type { BackstopError } from '../../../lambda/migrator/model/errors.ts';
import type { ProgressEvent } from '../../../lambda/migrator/model/events.ts';
import type {
  RevisionId,
  RunReport,
  StepReport,
  ValidationReport,
} from '../../../lambda/migrator/model/report.ts';
import type { Terminal } from '../terminal.ts';

/** The colors of a voice; the text is the same without them. */
export type Paint = Terminal['paint'];

/** The words of an error, apart from its name and its place. */
export type ErrorWords = Pick<BackstopError, 'summary' | 'detail' | 'hint'>;

/** How many lines of a verdict passed and failed. */
export interface Verdict extends Pick<ValidationReport, 'phase' | 'durationMs'> {
  readonly passed: number;
  readonly failed: number;
}

export interface Voice {
  /** The lines for an event while a run goes on; none for an event that is reported elsewhere. */
  event(event: ProgressEvent): readonly string[];
  /** The last lines of a run. */
  outcome(report: RunReport): readonly string[];
  /** The lines below them if all checks after the run hold. */
  validated(verdict: Verdict): readonly string[];
  /** The words of an error. */
  error(error: BackstopError): ErrorWords;
  /** The lines after the error of a run that was rolled back. */
  rollback(at: RevisionId): readonly string[];
  /** A step and what it cost, as `log --verbose` shows it. */
  loggedStep(step: StepReport): readonly string[];
  /** Any other line about a run, such as the tables that it locked. */
  remark(text: string): string;
  /** The last lines of `check`. */
  verdict(verdict: Verdict): readonly string[];
}
