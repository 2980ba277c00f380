// The tables that the headers of pending revisions name: which of them are not there, and not made by the run either.
import type { Effect } from '../grammar/effect.ts';
import { quote } from '../grammar/names.ts';
import type { RevisionId } from '../model/report.ts';
import { effectsIn } from '../revisions/effects.ts';
import type { Revision } from '../revisions/revision.ts';
import { DEFAULT_PATH, openSchemas } from '../revisions/search-path.ts';
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
  const { rows } = await queries.query<{ name: string; parts: string[]; exists: boolean }>(
    `SELECT name, pg_catalog.parse_ident(name) AS parts,
            EXISTS (SELECT FROM pg_catalog.pg_class
                    WHERE oid = pg_catalog.to_regclass(name) AND relkind IN ('r', 'p')) AS "exists"
     FROM pg_catalog.unnest($1::text[]) AS wanted(name)`,
    [all],
  );
  const made = new Set(madeBy(effects));
  const unknown = rows
    .filter(({ exists, parts }) => !exists && !made.has(parts.map(quote).join('.')))
    .map(({ name }) => name);
  return named
    .map(({ revision, tables }) => ({ revision, tables: tables.filter((name) => unknown.includes(name)) }))
    .filter(({ tables }) => tables.length > 0);
}

/** The relations that the statements make, with their schemas. */
function madeBy(effects: readonly Effect[]): string[] {
  return newRelations(effects).map(({ schema, relation }) => `${quote(schema)}.${relation}`);
}

/** The schemas in which the statements make relations. */
export function schemasOfNew(effects: readonly Effect[]): string[] {
  const made = newRelations(effects.filter((effect) => !('indexOf' in effect)));
  return [...new Set(made.map(({ schema }) => schema))].filter((schema) => schema !== 'pg_temp');
}

function newRelations(effects: readonly Effect[]): { schema: string; relation: string }[] {
  let home = 'public';
  return effects.flatMap((effect) => {
    if ('path' in effect) [home = 'public'] = openSchemas(effect.path ?? DEFAULT_PATH);
    if (!('makes' in effect)) return [];
    const [, schema, relation = effect.makes] = /^"((?:[^"]|"")*)"\.(".*")$/s.exec(effect.makes) ?? [];
    return [{ schema: schema?.replaceAll('""', '"') ?? home, relation }];
  });
}
