// The other method: the contract's three phases, run as plain SQL, with the same evidence as the engine's.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ledger, readMoment, readRelations } from '../../lambda/migrator/inspect.ts';
import { parseSqlFile } from '../../lambda/migrator/revisions/sql-file.ts';
import type { Connect } from '../../lambda/migrator/session/connection.ts';
import type { Figures } from './results.ts';

const FILE = 'three-phase.sql';
const STEPS = parseSqlFile(readFileSync(join(import.meta.dirname, FILE), 'utf8'), 'step', FILE).sections;

/** The figures that the method reports itself; the others are measured from outside. */
export type Told = Pick<Figures, 'steps' | 'exclusiveMs' | 'rewritten'>;

/** Runs the method once, in its own session. It takes each lock when it needs it, as such migrations do. */
export async function runThreePhase(connect: Connect): Promise<Told> {
  const client = await connect('backstop bench');
  try {
    const before = await readRelations(client);
    await client.query('BEGIN');
    const ledger = new Ledger(before, await readMoment(client));
    const steps: Record<string, number> = {};
    const rewritten = new Set<string>();
    for (const { title, sql } of STEPS) {
      steps[title] = 0;
      for (const statement of statementsOf(sql)) {
        const started = performance.now();
        await client.query(statement);
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

function statementsOf(sql: string): string[] {
  return sql.split(';').filter((statement) => statement.trim() !== '');
}
