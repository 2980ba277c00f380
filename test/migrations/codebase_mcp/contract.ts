// A run in the words of the execution contract, as the command line prints it.
import { alembicVoice } from '../../../bin/cli/voice/alembic.ts';
import type { ProgressEvent } from '../../../lambda/migrator/model/events.ts';
import type { Database } from '../../../lambda/migrator/revisions/databases.ts';

const asIs = (text: string) => text;

/** The lines for the events of a run, without the names of the loggers. */
export function contractLines({
  database,
  events,
}: {
  readonly database: Database;
  readonly events: readonly ProgressEvent[];
}): string[] {
  const voice = alembicVoice(database, { good: asIs, bad: asIs, warning: asIs, faint: asIs }, '✓');
  return events.flatMap(voice.event).map((line) => line.replace(/^INFO {2}\[[\w.]+\] /, ''));
}
