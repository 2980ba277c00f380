// What a transaction did, in the server's own words: locks, rewritten and moved relations, rows, write-ahead log.
import type pg from 'pg';
import type { HeldLock, RowCounts } from './report.ts';

/** A table or materialized view, as the catalogue has it at one moment. */
interface Relation {
  readonly schema: string;
  readonly name: string;
  /** Changes when the relation is written anew. */
  readonly filenode: string;
}

/** oid → relation, of all tables and materialized views outside the system's own schemas. */
export type Relations = ReadonlyMap<string, Relation>;

export async function readRelations(client: pg.Client): Promise<Relations> {
  const { rows } = await client.query<Relation & { oid: string }>(
    `SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name,
            coalesce(pg_catalog.pg_relation_filenode(c.oid), 0)::text AS filenode
     FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'backstop')`,
  );
  return new Map(rows.map(({ oid, ...relation }) => [oid, relation]));
}

export interface Changes {
  readonly retired: readonly string[];
  readonly restored: readonly string[];
  readonly created: readonly string[];
  readonly dropped: readonly string[];
}

/** What became of the relations between two readings, each list sorted by name. */
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

/** The schema `retired_<revision>` holds what the upgrade of that revision retired, until it is finalized. */
const RETIRED_PREFIX = 'retired_';

/** Ids of the revisions whose retired objects still stand. */
export async function readRetiredRevisions(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT pg_catalog.substr(nspname, $1) AS id FROM pg_catalog.pg_namespace
     WHERE pg_catalog.starts_with(nspname, $2) ORDER BY nspname`,
    [RETIRED_PREFIX.length + 1, RETIRED_PREFIX],
  );
  return rows.map(({ id }) => id);
}

/** What the transaction holds at one moment, between two steps. */
export interface Moment {
  /** The id of the open transaction; null where a step has ended it. */
  readonly transaction: string | null;
  /** Position of the write-ahead log, in bytes. */
  readonly wal: number;
  /** Locks on tables, strongest first, each with the oid and the filenode of its table. */
  readonly locks: readonly (HeldLock & { readonly oid: string; readonly filenode: string })[];
}

/**
 * Reads the moment and sets the time that the next statement may take, in one round trip: it happens under
 * the locks of the run, where every round trip counts.
 */
export async function readMoment(client: pg.Client, statementTimeoutMs: number): Promise<Moment> {
  const { rows } = await client.query<Moment>(
    `SELECT pg_catalog.pg_current_xact_id_if_assigned()::text AS transaction,
            pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::float8 AS wal,
            (SELECT coalesce(pg_catalog.jsonb_agg(held ORDER BY held.mode = 'AccessExclusiveLock' DESC, held.relation), '[]')
             FROM (SELECT c.oid::text AS oid, n.nspname || '.' || c.relname AS relation, l.mode,
                          coalesce(pg_catalog.pg_relation_filenode(c.oid), 0)::text AS filenode
                   FROM pg_catalog.pg_locks AS l
                   JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
                   JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                   WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.granted
                     AND c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'backstop') AS held) AS locks,
            pg_catalog.set_config('statement_timeout', $1, true)`,
    [`${statementTimeoutMs}ms`],
  );
  return rows[0] as Moment;
}

/** oid → rows written to the table, without our own bookkeeping. */
export type WrittenRows = ReadonlyMap<string, RowCounts>;

/** The server's counters, which may still hold what earlier transactions of the session wrote. */
export async function readWrittenRows(client: pg.Client): Promise<WrittenRows> {
  const { rows } = await client.query<RowCounts & { oid: string }>(
    `SELECT relid::text AS oid, schemaname || '.' || relname AS relation,
            n_tup_ins::float8 AS inserted, n_tup_upd::float8 AS updated, n_tup_del::float8 AS deleted
     FROM pg_catalog.pg_stat_xact_user_tables
     WHERE n_tup_ins + n_tup_upd + n_tup_del > 0
       AND schemaname <> 'backstop' AND relname <> 'alembic_version'
     ORDER BY 2`,
  );
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
