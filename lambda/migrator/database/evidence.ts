// The server's own account of a transaction: locks, rewritten and moved relations, rows, write-ahead log.
import type { HeldLock, RowCounts } from '../model/report.ts';
import type { Queries } from '../session/client.ts';
import { IDLE_IN_TRANSACTION } from '../session/neutral.ts';

/** A table or materialized view, as the catalogue has it at one moment. */
interface Relation {
  readonly schema: string;
  readonly name: string;
  /** Changes when the relation is rewritten. */
  readonly filenode: string;
}

/** oid → relation, of all tables and materialized views outside the system's own schemas. */
export type Relations = ReadonlyMap<string, Relation>;

const RELATIONS = `
  SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name,
         coalesce(pg_catalog.pg_relation_filenode(c.oid), 0)::text AS filenode
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'backstop')`;

/**
 * Answers with one {@link Moment}. It is asked between two steps, in the session as a step has left it: no name in it
 * depends on the search path, it needs nothing that DEALLOCATE could take away, and the server plans it as quickly as
 * it would run a prepared one. It sets what must hold before the next statement is sent: the encoding that this process
 * reads and writes, and the bound for a runner that dies.
 */
export const MOMENT = `
  SELECT pg_catalog.set_config('client_encoding', 'UTF8', true),
         pg_catalog.set_config('idle_in_transaction_session_timeout', '${IDLE_IN_TRANSACTION}', true),
         pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text AS transaction,
         pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::pg_catalog.text AS wal,
         (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                   'oid', l.relation::pg_catalog.text, 'name', named.object_names, 'mode', l.mode,
                   'filenode', coalesce(pg_catalog.pg_relation_filenode(l.relation), 0)::pg_catalog.text)), '[]')
          FROM pg_catalog.pg_lock_status() AS l,
               pg_catalog.pg_identify_object_as_address('pg_catalog.pg_class'::pg_catalog.regclass, l.relation, 0) AS named
          WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() AND l.granted
            AND l.locktype OPERATOR(pg_catalog.=) 'relation'
            AND named.type OPERATOR(pg_catalog.=) ANY (ARRAY['table', 'materialized view'])) AS locks`;

/** Reads the same as pg_stat_xact_user_tables, without planning and reading its other columns. */
const WRITTEN_ROWS = `
  SELECT oid::text AS oid, relation, inserted::float8 AS inserted, updated::float8 AS updated, deleted::float8 AS deleted
  FROM (SELECT c.oid, n.nspname || '.' || c.relname AS relation,
               pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid) AS inserted,
               pg_catalog.pg_stat_get_xact_tuples_updated(c.oid) AS updated,
               pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) AS deleted
        FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'm', 'p') AND c.relname <> 'alembic_version'
          AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'backstop')) AS written
  WHERE inserted + updated + deleted > 0
  ORDER BY relation`;

export async function readRelations(queries: Queries): Promise<Relations> {
  const { rows } = await queries.query<Relation & { oid: string }>(RELATIONS);
  return new Map(rows.map(({ oid, ...relation }) => [oid, relation]));
}

export interface Changes {
  readonly retired: readonly string[];
  readonly restored: readonly string[];
  readonly created: readonly string[];
  readonly dropped: readonly string[];
}

/** The changes of the relations between two readings, each list sorted by name. */
export function compareRelations(before: Relations, after: Relations): Changes {
  const retired: string[] = [];
  const restored: string[] = [];
  for (const [oid, was] of before) {
    const is = after.get(oid);
    if (!is) continue;
    if (isRetired(is) && !isRetired(was)) retired.push(qualified(was));
    if (isRetired(was) && !isRetired(is)) restored.push(qualified(is));
  }
  return {
    retired: retired.sort(),
    restored: restored.sort(),
    created: missing(after, before),
    dropped: missing(before, after),
  };
}

function missing(relations: Relations, from: Relations): string[] {
  return [...relations]
    .filter(([oid]) => !from.has(oid))
    .map(([, relation]) => qualified(relation))
    .sort();
}

function isRetired(relation: Relation): boolean {
  return relation.schema.startsWith(RETIRED_PREFIX);
}

function qualified({ schema, name }: Relation): string {
  return `${schema}.${name}`;
}

/** The schema `retired_<revision>` holds the retired objects of that revision, until they are finalized. */
const RETIRED_PREFIX = 'retired_';

/** Ids of the revisions whose retired objects still exist. */
export async function readRetiredRevisions(queries: Queries): Promise<string[]> {
  const { rows } = await queries.query<{ id: string }>(
    `SELECT pg_catalog.substr(nspname, $1) AS id FROM pg_catalog.pg_namespace
     WHERE pg_catalog.starts_with(nspname, $2) ORDER BY nspname`,
    [RETIRED_PREFIX.length + 1, RETIRED_PREFIX],
  );
  return rows.map(({ id }) => id);
}

/** The state of the transaction at one moment, between two steps. */
export interface Moment {
  /** The id of the open transaction; null if a step has ended it. */
  readonly transaction: string | null;
  /** Position of the write-ahead log, in bytes. */
  readonly wal: number;
  /** Locks on tables, strongest first, each with the oid and the filenode of its table. */
  readonly locks: readonly (HeldLock & { readonly oid: string; readonly filenode: string })[];
}

interface MomentRow extends Pick<Moment, 'transaction'> {
  readonly wal: string;
  readonly locks: readonly {
    readonly oid: string;
    readonly name: readonly [schema: string, name: string];
    readonly mode: string;
    readonly filenode: string;
  }[];
}

export async function readMoment(queries: Queries): Promise<Moment> {
  const { rows } = await queries.query<MomentRow>(MOMENT);
  const { transaction, wal, locks } = rows[0] as MomentRow;
  const held = locks
    .filter(({ name: [schema] }) => !schema.startsWith('pg_') && schema !== 'backstop')
    .map(({ name, ...lock }) => ({ ...lock, relation: name.join('.') }));
  return { transaction, wal: Number(wal), locks: held.sort(strongestFirst) };
}

function strongestFirst(one: HeldLock, other: HeldLock): number {
  const weak = ({ mode }: HeldLock) => Number(mode !== 'AccessExclusiveLock');
  return weak(one) - weak(other) || (one.relation < other.relation ? -1 : 1);
}

/** oid → rows written to the table, without our own bookkeeping. */
export type WrittenRows = ReadonlyMap<string, RowCounts>;

/** The server's counters, which may include rows of earlier transactions of the session. */
export async function readWrittenRows(queries: Queries): Promise<WrittenRows> {
  const { rows } = await queries.query<RowCounts & { oid: string }>(WRITTEN_ROWS);
  return new Map(rows.map(({ oid, ...counts }) => [oid, counts]));
}

/** Rows written between two readings, a line for each table that was written to. */
export function compareWrittenRows(before: WrittenRows, after: WrittenRows): RowCounts[] {
  return [...after]
    .map(([oid, { relation, inserted, updated, deleted }]) => {
      const was = before.get(oid) ?? { inserted: 0, updated: 0, deleted: 0 };
      return {
        relation,
        inserted: inserted - was.inserted,
        updated: updated - was.updated,
        deleted: deleted - was.deleted,
      };
    })
    .filter(({ inserted, updated, deleted }) => inserted + updated + deleted > 0);
}
