// The other method: the contract's three phases, run as plain SQL, with the same evidence as the engine's.
import { join } from 'node:path';
import { loadReader } from '../../lambda/migrator/grammar/postgres.ts';
import { Ledger, readMoment, readRelations } from '../../lambda/migrator/inspect.ts';
import { readSections } from '../../lambda/migrator/revisions/sql-file.ts';
import { readText } from '../../lambda/migrator/revisions/text.ts';
import type { Connect } from '../../lambda/migrator/session/connection.ts';
import type { Figures } from './results.ts';

const FILE = join(import.meta.dirname, 'three-phase.sql');

/** The figures that the method reports itself; the others are measured from outside. */
export type Told = Pick<Figures, 'steps' | 'exclusiveMs' | 'rewritten'>;

/** Runs the method once, in its own session. It takes each lock when it needs it, as such migrations do. */
export async function runThreePhase(connect: Connect): Promise<Told> {
  const { sections } = readSections(readText(FILE), 'step', await loadReader());
  const client = await connect('backstop bench');
  try {
    const before = await readRelations(client);
    await client.query('SET search_path TO public');
    await client.query('BEGIN');
    const ledger = new Ledger(before, await readMoment(client));
    const steps: Record<string, number> = {};
    const rewritten = new Set<string>();
    for (const { title, sql, origin, statements } of sections) {
      steps[title] = 0;
      for (const { start, end } of statements) {
        const started = performance.now();
        await client.query(sql.slice(start - origin.offset, end - origin.offset));
        steps[title] += performance.now() - started;
        const news = ledger.enter(await readMoment(client), started);
        for (const relation of news.rewritten) rewritten.add(relation);
      }
    }
    await client.query('COMMIT');
    return { steps, exclusiveMs: ledger.exclusiveMs(performance.now()), rewritten: [...rewritten] };
  } finally {
    await client.end();
  }
}
