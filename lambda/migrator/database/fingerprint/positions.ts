// How far the sequences of a database are. An application that uses a sequence does not change the schema.
import type { Queries } from '../../session/client.ts';
import { LEFT_OUT } from './scope.ts';

export interface Position {
  /** Qualified, as SQL. */
  readonly name: string;
  /** The last value; null if the sequence was never used, or this user may not read it. */
  readonly value: string | null;
}

/** Oid → position, of all sequences but Backstop's, retired and temporary ones. */
export async function readPositions(queries: Queries): Promise<ReadonlyMap<string, Position>> {
  const { rows } = await queries.query<Position & { oid: string }>(
    `SELECT c.oid::text AS oid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
            CASE WHEN pg_catalog.has_sequence_privilege(c.oid, 'USAGE, SELECT')
                 THEN pg_catalog.pg_sequence_last_value(c.oid)::text END AS value
     FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind = 'S' AND NOT ${LEFT_OUT}`,
  );
  return new Map(rows.map(({ oid, ...position }) => [oid, position]));
}
