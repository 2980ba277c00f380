// Reports of the history that earlier versions wrote: statements of others and values of rows are left out when they are read.
import { withoutStatements } from '../model/blocker.ts';
import type { FailureReport, HistoryEntry } from '../model/history-entry.ts';
import { ELSEWHERE, wordsOf } from '../session/server-words.ts';

/** The report as this version would have written it. */
export function remembered<Report extends HistoryEntry['report']>(report: Report): Report {
  return 'error' in report ? { ...report, ...failure(report) } : withoutStatements(report);
}

/** `MESSAGE (SQLSTATE 23505) in PLACE`. */
const SERVER_ERROR = /^([\s\S]*) \(SQLSTATE ([0-9A-Z]{5})\) in /;
/** Lines of the server's context, which earlier versions kept as the detail. */
const CONTEXT = /^(?:SQL statement|COPY|JSON data|unnamed portal|portal) /;
/** A session with its statement, and not the first word alone. */
const STATEMENT = /(pid \d+ \([^)]*\)): [\s\S]*$/;

function failure({ error, message, detail = undefined, location }: FailureReport): Partial<FailureReport> {
  if (error === 'DatabaseBusy') return { detail: detail?.replace(STATEMENT, '$1') };
  const [whole, words, code] = SERVER_ERROR.exec(message) ?? [];
  if (whole === undefined || words === undefined) return {};
  const known = wordsOf({ code, message: words, detail }, '', location?.column !== undefined);
  const isOurs = detail?.endsWith(ELSEWHERE) || known.detail === detail;
  return {
    message: message.replace(words, () => known.message),
    detail: isOurs && !CONTEXT.test(detail ?? '') ? detail : ELSEWHERE,
  };
}
