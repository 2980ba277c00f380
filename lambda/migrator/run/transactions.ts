// A run in one transaction, or in several where a revision ends its own.
import { randomUUID } from 'node:crypto';
import { BackstopError } from '../model/errors.ts';
import type { RunReport } from '../model/report.ts';
import { byTransaction, idsOf, type Part } from '../revisions/part.ts';
import { combine } from './combine.ts';
import type { Run } from './run.ts';
import { runTransaction } from './transaction.ts';

/**
 * Runs the parts: all in one transaction, unless one of them ends its transaction. Then each transaction is all or
 * nothing, and has its own row in the history. A dry run tries only the first one: the others need its commit.
 *
 * @returns one report; where several transactions ran, it lists them
 * @throws PartlyApplied if a transaction is committed and a later one is rolled back; the errors of `runTransaction`
 */
export async function runTransactions(run: Run): Promise<RunReport> {
  const transactions = byTransaction(run.parts);
  if (transactions.length <= 1) return runTransaction(run);
  const reports: RunReport[] = [];
  for (const parts of run.dryRun ? transactions.slice(0, 1) : transactions) {
    const report = await runTransaction(onlyWith(run, parts, reports.length)).catch((error: unknown) => {
      throw reports.length === 0 ? error : partlyApplied(run, combine(reports), error);
    });
    reports.push(report);
  }
  if (run.dryRun) run.listener({ type: 'not tried', revisions: idsOf(transactions.slice(1).flat()) });
  return combine(reports);
}

/** The run as one of its transactions: the history tells them apart by the run id. */
function onlyWith(run: Run, parts: readonly Part[], number: number): Run {
  const from = parts[0]?.from ?? run.from;
  const to = parts.at(-1)?.to ?? run.to;
  return { ...run, parts, from, to, ...(number > 0 && { runId: randomUUID() }) };
}

/** An error that is no ending is a fault of the program, and an unknown outcome stays unknown. */
function partlyApplied(run: Run, { to, revisions }: RunReport, error: unknown): unknown {
  if (!(error instanceof BackstopError) || error.name === 'OutcomeUnknown') return error;
  const left = idsOf(run.parts).filter((id) => !revisions.includes(id));
  const { location, hint, detail } = error;
  return new BackstopError(
    'PartlyApplied',
    {
      message: `The ${run.direction} stopped at ${to}: ${error.summary}`,
      location,
      detail: [
        ...(detail?.split('\n') ?? []),
        `Committed: ${revisions.join(', ')}, whose transaction was complete. Rolled back or not begun: ${left.join(', ')}.`,
      ],
      hint: hint?.split('\n'),
    },
    { cause: error },
  );
}
