// The lines of a run while it runs, exactly as the execution contract prints them: Alembic's logger and the migration's.
import {
  describeEvent,
  describeMove,
  type Listener,
  type ProgressEvent,
} from '../../lambda/migrator/model/events.ts';
import { alembic, backstop, migration, warning } from './logger.ts';
import type { Terminal } from './terminal.ts';

/** The engine looks several times a second at who stands in the way; a person need not read it as often. */
const WAITING_TOLD_EVERY_MS = 5_000;

/** A listener that writes what an event has to say, and nothing for those that the contract does not know. */
export function progressLines(terminal: Pick<Terminal, 'paint'>, tell: (line: string) => void): Listener {
  let waitingToldAt = Number.NEGATIVE_INFINITY;
  return (event) => {
    if (event.type === 'waiting') {
      if (performance.now() - waitingToldAt < WAITING_TOLD_EVERY_MS) return;
      waitingToldAt = performance.now();
    }
    for (const line of linesOf(event, terminal)) tell(line);
  };
}

function linesOf(event: ProgressEvent, { paint }: Pick<Terminal, 'paint'>): string[] {
  switch (event.type) {
    case 'planned':
      return [alembic('Context impl PostgresqlImpl.'), alembic('Will assume transactional DDL.')];
    case 'revision started':
      return [alembic(describeEvent(event))];
    case 'step started':
    case 'step completed': {
      const revision = event.type === 'step started' ? event.revision : event.step.revision;
      return [migration(revision, describeEvent(event))];
    }
    case 'revision completed': {
      if (event.direction === 'stamp') return [];
      const completed = migration(event.revision, describeEvent(event));
      return [paint.good(completed), alembic(describeMove(event))];
    }
    case 'notice': {
      const line = describeEvent(event);
      return [event.notice.severity === 'WARNING' ? paint.warning(line) : paint.faint(line)];
    }
    case 'estimated':
      return [backstop(describeEvent(event))];
    case 'edited':
    case 'exceeding':
    case 'waiting':
    case 'retrying':
      return [paint.warning(warning(describeEvent(event)))];
    // The error itself is told at the end.
    case 'rolled back':
    case 'connected':
    case 'check completed':
    case 'committed':
      return [];
  }
}
