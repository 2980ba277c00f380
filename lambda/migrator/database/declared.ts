// The tables that the headers of pending revisions name: which of them are not there, and not made by the run either.
import type { Effect } from '../grammar/effect.ts';
import { quote } from '../grammar/names.ts';
import type { RevisionId } from '../model/report.ts';
import { effectsIn } from '../revisions/effects.ts';
import type { Revision } from '../revisions/revision.ts';
import type { Queries } from '../session/client.ts';

/**
 * The names in "Locks:" and "Scans:" that mean no table, by revision. Tables that a revision retires may be missing.
 * Empty if the statements have not been read, because then it is not known which tables they make.
 */
export async function findUnknown(
  queries: Queries,
  revisions: readonly Revision[],
): Promise<{ revision: RevisionId; tables: string[] }[]> {
  const effects = effectsIn(revisions.map(({ upgrade }) => upgrade));
  const named = revisions.map(({ id, upgrade: { locks, scans }, retires }) => ({
    revision: id,
    tables: [...new Set([...locks, ...scans])].filter((name) => !retires.includes(name)),
  }));
  const all = named.flatMap(({ tables }) => tables);
  if (effects === undefined || all.length === 0) return [];
  const { rows } = await queries.query<{ name: string; parts: string[]; schema: string; exists: boolean }>(
    `SELECT name, pg_catalog.parse_ident(name) AS parts, pg_catalog.current_schema()::text AS schema,
            EXISTS (SELECT FROM pg_catalog.pg_class
                    WHERE oid = pg_catalog.to_regclass(name) AND relkind IN ('r', 'p')) AS "exists"
     FROM pg_catalog.unnest($1::text[]) AS wanted(name)`,
    [all],
  );
  const made = new Set(rows[0] === undefined ? [] : madeBy(effects, rows[0].schema));
  const unknown = rows
    .filter(({ exists, parts, schema }) => !exists && !made.has(whole(parts.map(quote).join('.'), schema)))
    .map(({ name }) => name);
  return named
    .map(({ revision, tables }) => ({ revision, tables: tables.filter((name) => unknown.includes(name)) }))
    .filter(({ tables }) => tables.length > 0);
}

function madeBy(effects: readonly Effect[], schema: string): string[] {
  return effects.flatMap((effect) => ('makes' in effect ? [whole(effect.makes, schema)] : []));
}

/** The name with its schema. */
function whole(name: string, schema: string): string {
  return name.includes('"."') ? name : `${quote(schema)}.${name}`;
}
