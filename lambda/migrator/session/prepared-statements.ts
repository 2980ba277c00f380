// Statements that a session prepares: asked again, they need not be planned again, which counts while tables are locked.
import { createHash } from 'node:crypto';
import type { Queries } from './client.ts';

/** Names that begin so are ours. */
const PREFIX = 'backstop_';

/** Session → the names that it has prepared. */
const sessions = new WeakMap<Queries, Set<string>>();

/** Prepares the statement, unless the session has done so, and returns the SQL that executes it. */
export async function prepare(queries: Queries, sql: string): Promise<string> {
  const names = sessions.get(queries) ?? (await readNames(queries));
  sessions.set(queries, names);
  // The same text has the same name in every run.
  const name = `${PREFIX}${createHash('sha256').update(sql).digest('hex').slice(0, 16)}`;
  if (!names.has(name)) {
    await queries.query(`PREPARE ${name} AS ${sql}`);
    names.add(name);
  }
  return `EXECUTE ${name}`;
}

/** An earlier transaction of the session may have prepared them. */
async function readNames(queries: Queries): Promise<Set<string>> {
  const { rows } = await queries.query<{ name: string }>(
    `SELECT name FROM pg_catalog.pg_prepared_statement() WHERE pg_catalog.starts_with(name, '${PREFIX}')`,
  );
  return new Set(rows.map(({ name }) => name));
}

/** Whether a step has taken a statement away, or made it: then the session is asked again for its names. */
export function forgetPrepared(queries: Queries, error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return (code === '26000' || code === '42P05') && sessions.delete(queries);
}

/** Takes away the statements that steps have prepared. */
export const DEALLOCATE_OTHERS = `DO LANGUAGE plpgsql $do$
DECLARE
  other text;
BEGIN
  FOR other IN SELECT p.name FROM pg_catalog.pg_prepared_statement() AS p WHERE NOT pg_catalog.starts_with(p.name, '${PREFIX}') LOOP
    EXECUTE pg_catalog.format('DEALLOCATE %I', other);
  END LOOP;
END
$do$;`;
