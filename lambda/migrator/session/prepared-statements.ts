// Statements that a session prepares: asked again, they need not be planned again, which counts while tables are locked.
import type { Queries } from './client.ts';

/** Names that begin so are ours. */
const PREFIX = 'backstop_';

/** Session → statement → its name. */
const sessions = new WeakMap<Queries, Map<string, string>>();
let count = 0;

/** Prepares the statement, unless the session has done so, and returns the SQL that executes it. */
export async function prepare(queries: Queries, sql: string): Promise<string> {
  const names = sessions.get(queries) ?? new Map<string, string>();
  sessions.set(queries, names);
  let name = names.get(sql);
  if (name === undefined) {
    count += 1;
    name = `${PREFIX}${count}`;
    await queries.query(`PREPARE ${name} AS ${sql}`);
    names.set(sql, name);
  }
  return `EXECUTE ${name}`;
}

/** A step has taken a statement away, or has made one of its name: from now on they are prepared under other names. */
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
