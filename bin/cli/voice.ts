// The words in which the command line reports a run: plain ones, or Alembic's if databases.json asks for them.
import type { Listener } from '../../lambda/migrator/model/events.ts';
import type { Database } from '../../lambda/migrator/revisions/databases.ts';
import type { Terminal } from './terminal.ts';
import { alembicVoice } from './voice/alembic.ts';
import { plainVoice } from './voice/plain.ts';
import type { Voice } from './voice/voice.ts';

/** The voice that the definition of the database asks for. */
export function voiceOf(database: Database, { paint, unicode }: Pick<Terminal, 'paint' | 'unicode'>): Voice {
  return database.definition.voice === 'alembic'
    ? alembicVoice(database, paint, unicode ? '✓' : 'ok')
    : plainVoice(database, paint);
}

/** The engine reports a wait several times a second; a person need not read it as often. */
const WAITING_TOLD_EVERY_MS = 5_000;

/** A listener that tells each event in that voice. */
export function listenerFor(voice: Voice, tell: (line: string) => void): Listener {
  let waitingToldAt = Number.NEGATIVE_INFINITY;
  return (event) => {
    if (event.type === 'waiting') {
      if (performance.now() - waitingToldAt < WAITING_TOLD_EVERY_MS) return;
      waitingToldAt = performance.now();
    }
    for (const line of voice.event(event)) tell(line);
  };
}
