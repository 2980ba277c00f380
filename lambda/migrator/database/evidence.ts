// The server's own account of a transaction: locks, rewritten and moved relations, rows, write-ahead log.
import type { HeldLock, RowCounts } from '../model/report.ts';
import type { Queries } from '../session/client.ts';

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

/** Answers with one {@link Moment}; ready to be asked as it is, and as `backstop_moment` where it has been prepared. */
export const MOMENT = `
  SELECT pg_catalog.pg_current_xact_id_if_assigned()::text AS transaction,
         pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::float8 AS wal,
         (SELECT coalesce(pg_catalog.jsonb_agg(held ORDER BY held.mode = 'AccessExclusiveLock' DESC, held.relation), '[]')
          FROM (SELECT c.oid::text AS oid, n.nspname || '.' || c.relname AS relation, l.mode,
                       coalesce(pg_catalog.pg_relation_filenode(c.oid), 0)::text AS filenode
                FROM pg_catalog.pg_locks AS l
                JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
                JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.granted
                  AND c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'backstop') AS held) AS locks`;

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

/**
 * Prepares the queries of this file, once a session: planning these queries takes the server longer than answering
 * them, and most of them run under the locks of the run. The server plans a prepared query when it first runs.
 */
export async function prepareEvidence(queries: Queries): Promise<void> {
  const prepared = { relations: RELATIONS, moment: MOMENT, written_rows: WRITTEN_ROWS };
  for (const [name, query] of Object.entries(prepared)) {
    await queries.query(`PREPARE backstop_${name} AS ${query}`);
    await queries.query(`EXECUTE backstop_${name}`);
  }
}

/** After {@link prepareEvidence}. */
export async function readRelations(queries: Queries): Promise<Relations> {
  const { rows } = await queries.query<Relation & { oid: string }>('EXECUTE backstop_relations');
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

/** After {@link prepareEvidence}. */
export async function readMoment(queries: Queries): Promise<Moment> {
  const { rows } = await queries.query<Moment>('EXECUTE backstop_moment');
  return rows[0] as Moment;
}

/** oid → rows written to the table, without our own bookkeeping. */
export type WrittenRows = ReadonlyMap<string, RowCounts>;

/**
 * The server's counters, which may include rows of earlier transactions of the session. After
 * {@link prepareEvidence}.
 */
export async function readWrittenRows(queries: Queries): Promise<WrittenRows> {
  const { rows } = await queries.query<RowCounts & { oid: string }>('EXECUTE backstop_written_rows');
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
