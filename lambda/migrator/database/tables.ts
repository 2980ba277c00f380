// The tables that the header of a revision names, as far as they are there.
import type { Queries } from '../session/client.ts';

export interface StandingTable {
  /** As the header has it, e.g. `public.tasks`. */
  readonly name: string;
  /** As a statement must write it. */
  readonly sql: string;
}

/** Those of the names that are tables, in the same order. Anything else of that name is left out, too. */
export async function findTables(queries: Queries, names: readonly string[]): Promise<StandingTable[]> {
  const { rows } = await queries.query<StandingTable>(
    `SELECT wanted.name, c.oid::regclass::text AS sql
     FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY AS wanted(name, place)
     JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.to_regclass(wanted.name) AND c.relkind IN ('r', 'p')
     ORDER BY wanted.place`,
    [names],
  );
  return rows;
}
