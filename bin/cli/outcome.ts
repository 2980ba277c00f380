// The result of a verb that ran, or would have run, something on one database.
import type { RunReport } from '../../lambda/migrator/model/report.ts';
import type { MigratorOptions } from '../../lambda/migrator/session/session.ts';
import type { Call, VerbResult } from './verb.ts';
import { voiceOf } from './voice.ts';

/** The last lines of the run, in the voice of its database, and the report as the document. */
export function runResult(
  { terminal }: Call,
  { database }: MigratorOptions,
  report: RunReport,
): VerbResult & { readonly lines: readonly string[] } {
  return { lines: voiceOf(database, terminal).outcome(report), json: report };
}
