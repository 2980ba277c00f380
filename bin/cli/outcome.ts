// The last lines of a run that changed something, or would have.
import { seconds } from '../../lambda/migrator/model/events.ts';
import { BASE, type RunReport } from '../../lambda/migrator/model/report.ts';
import { describeEffort } from './effort.ts';
import { alembic, backstop } from './logger.ts';

/** The others are locked no longer. */
const TABLES_NAMED = 3;

export function describeOutcome(report: RunReport): string[] {
  const { outcome, direction, from, to, revisions, durationMs } = report;
  switch (outcome) {
    case 'nothing to do':
      return nothingToDo(report);
    case 'rehearsed':
      return [
        ...describeEffort(report, TABLES_NAMED),
        backstop(
          `Dry run: ${direction} ${from} -> ${to} succeeds in ${seconds(durationMs)}; rolled back, nothing was changed`,
        ),
      ];
    case 'upgraded':
      return describeRetired(report);
    case 'finalized':
      return [backstop(`Finalized ${revisions.join(', ')}`)];
    default:
      return [];
  }
}

/** What waits for a finalize; where the upgrade finalized at once, nothing is left of it. */
function describeRetired({ retired, created }: RunReport): string[] {
  // A table that the same run made and retired is told as created, in the schema where it is now.
  const waits = retired.length > 0 || created.some((table) => table.startsWith('retired_'));
  return waits
    ? [backstop('What is dropped here is retired with every row; to drop it for good: npx backstop finalize')]
    : [];
}

function nothingToDo({ direction, to }: RunReport): string[] {
  if (direction === 'finalize') return [backstop(`Nothing is retired at ${to}, nothing to do`)];
  return [
    // The contract's own line, though nothing runs; the next one says so.
    ...(direction === 'upgrade' ? [alembic(`Running upgrade  -> ${to === BASE ? '' : to}`)] : []),
    backstop(`Already at ${to}, nothing to do`),
  ];
}
