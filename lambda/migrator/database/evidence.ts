// The server's own account of a transaction: locks, rewritten and moved relations, rows, write-ahead log.
import type { HeldLock, RowCounts } from '../model/report.ts';
import { type Queries, together } from '../session/client.ts';
import { type Limits, milliseconds } from '../session/limits.ts';
import { IDLE_IN_TRANSACTION } from '../session/neutral.ts';
import { FIRST_OID } from './first-oid.ts';

/** A table or materialized view, as the catalogue has it at one moment. */
interface Relation {
  readonly schema: string;
  /** The schema's oid: if the schema is renamed, so are all its relations. */
  readonly schemaOid: string;
  readonly name: string;
  /** Changes when the relation is rewritten. */
  readonly filenode: string;
}

/** A relation before the run. */
interface Standing extends Relation {
  /** r for a table, p for a partitioned one, m for a materialized view. */
  readonly kind: string;
  /** The number of its last column; columns that are gone are counted. */
  readonly columns: number;
}

/** oid → relation, of all tables and materialized views outside the system's own schemas. */
export type Relations = ReadonlyMap<string, Standing>;

const RELATIONS = `
  SELECT c.oid::text AS oid, n.nspname AS schema, n.oid::text AS "schemaOid", c.relname AS name,
         coalesce(pg_catalog.pg_relation_filenode(c.oid), 0)::text AS filenode,
         c.relnatts AS columns, c.relkind::text AS kind
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'backstop')`;

/**
 * The relations that the transaction holds a lock on, among them all that it has made, changed or dropped. Read under
 * the locks: so no other relation is looked at, however many there are. A dropped relation has no name.
 */
export const TOUCHED = `
  SELECT held.oid::text AS oid, c.schema, c."schemaOid", c.name, c.filenode, coalesce(c.columns, 0) AS columns,
         coalesce(c.name <> 'alembic_version', false) AS "isCounted",
         pg_catalog.pg_stat_get_xact_tuples_inserted(held.oid)::float8 AS inserted,
         pg_catalog.pg_stat_get_xact_tuples_updated(held.oid)::float8 AS updated,
         pg_catalog.pg_stat_get_xact_tuples_deleted(held.oid)::float8 AS deleted,
         ARRAY(SELECT attnum FROM pg_catalog.pg_attribute AS a
               WHERE a.attrelid = held.oid AND attisdropped AND pg_catalog.age(a.xmin) <= 0) AS "columnsDropped"
  FROM (SELECT DISTINCT relation AS oid FROM pg_catalog.pg_locks
        WHERE pid = pg_catalog.pg_backend_pid() AND locktype = 'relation' AND granted AND relation >= ${FIRST_OID}) AS held
  LEFT JOIN LATERAL (
    SELECT n.nspname AS schema, n.oid::text AS "schemaOid", c.relname AS name,
           coalesce(pg_catalog.pg_relation_filenode(c.oid), 0)::text AS filenode, c.relnatts AS columns
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = held.oid AND c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_'
      AND n.nspname NOT IN ('information_schema', 'backstop')) AS c ON true`;

/** The schemas that the transaction has made or renamed, or that are as young. The age of a row that it has written is 0 or less. */
const YOUNG_SCHEMAS = `
  SELECT oid::text AS oid, nspname AS name FROM pg_catalog.pg_namespace WHERE pg_catalog.age(xmin) <= 0`;

/**
 * Answers with one {@link Moment}. It is asked between two steps, in the session as a step has left it: no name in it
 * depends on the search path, it needs nothing that DEALLOCATE could take away, and the server plans it as quickly as
 * it would run a prepared one. It sets what must hold before the next statement is sent: the encoding that this process
 * reads and writes, and the bound for a runner that dies.
 */
export const MOMENT = `
  SELECT pg_catalog.set_config('client_encoding', 'UTF8', true),
         pg_catalog.set_config('idle_in_transaction_session_timeout', '${IDLE_IN_TRANSACTION}', true),
         ARRAY[pg_catalog.current_setting('statement_timeout'), pg_catalog.current_setting('lock_timeout')] AS limits,
         pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text AS transaction,
         pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::pg_catalog.text AS wal,
         (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                   'oid', l.relation::pg_catalog.text, 'name', named.object_names, 'mode', l.mode,
                   'filenode', coalesce(pg_catalog.pg_relation_filenode(l.relation), 0)::pg_catalog.text)), '[]')
          FROM pg_catalog.pg_lock_status() AS l,
               pg_catalog.pg_identify_object_as_address('pg_catalog.pg_class'::pg_catalog.regclass, l.relation, 0) AS named
          WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() AND l.granted
            AND l.locktype OPERATOR(pg_catalog.=) 'relation' AND l.relation OPERATOR(pg_catalog.>=) ${FIRST_OID}::pg_catalog.oid
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
  const { rows } = await queries.query<Standing & { oid: string }>(RELATIONS);
  return new Map(rows.map(({ oid, ...relation }) => [oid, relation]));
}

export interface Changes {
  readonly retired: readonly string[];
  readonly restored: readonly string[];
  readonly created: readonly string[];
  readonly dropped: readonly string[];
}

/** A relation that the transaction holds a lock on; without a name if it is gone. */
export type TouchedRelation = {
  readonly oid: string;
  readonly isCounted: boolean;
  readonly columns: number;
  /** The numbers of the columns that the transaction has dropped. */
  readonly columnsDropped: readonly number[];
} & { readonly [Field in keyof Relation]: string | null } & Omit<RowCounts, 'relation'>;

/** Everything that the transaction has touched, at its end. */
export interface Touched {
  readonly relations: readonly TouchedRelation[];
  /** Oid of a new or renamed schema → its name. */
  readonly schemas: ReadonlyMap<string, string>;
}

/** Reads what the transaction has touched. */
export async function readTouched(queries: Queries): Promise<Touched> {
  const [{ rows: relations }, { rows: schemas }] = await together(
    queries.query<TouchedRelation>(TOUCHED),
    queries.query<{ oid: string; name: string }>(YOUNG_SCHEMAS),
  );
  return { relations, schemas: new Map(schemas.map(({ oid, name }) => [oid, name])) };
}

/** The changes of the relations since the reading before the run, each list sorted by name. */
export function compareRelations(before: Relations, { relations, schemas }: Touched): Changes {
  const held = new Set(relations.map(({ oid }) => oid));
  const all = [...relations, ...renamed(before, schemas).filter(({ oid }) => !held.has(oid))];
  const pairs = all.map(({ oid, schema, name }) => ({
    was: before.get(oid),
    is: schema === null || name === null ? undefined : { schema, name },
  }));
  const stayed = pairs.flatMap(({ was, is }) => (was && is ? [{ was, is }] : []));
  const moved = (to: boolean) =>
    stayed.filter(({ was, is }) => isRetired(is) === to && isRetired(was) !== to);
  return {
    retired: moved(true)
      .map(({ was }) => qualified(was))
      .sort(),
    restored: moved(false)
      .map(({ is }) => qualified(is))
      .sort(),
    created: pairs.flatMap(({ was, is }) => (is && !was ? [qualified(is)] : [])).sort(),
    dropped: pairs.flatMap(({ was, is }) => (was && !is ? [qualified(was)] : [])).sort(),
  };
}

/** The relations whose schema has another name since: they are not locked for that. */
function renamed(
  before: Relations,
  schemas: Touched['schemas'],
): { oid: string; schema: string; name: string }[] {
  if (schemas.size === 0) return [];
  return [...before].flatMap(([oid, { schema, schemaOid, name }]) => {
    const now = schemas.get(schemaOid);
    return now === undefined || now === schema ? [] : [{ oid, schema: now, name }];
  });
}

export function isRetired(relation: Pick<Relation, 'schema'>): boolean {
  return relation.schema.startsWith(RETIRED_PREFIX);
}

export function qualified({ schema, name }: Pick<Relation, 'schema' | 'name'>): string {
  return `${schema}.${name}`;
}

/** The schema `retired_<revision>` holds the retired objects of that revision, until they are finalized. */
export const RETIRED_PREFIX = 'retired_';

/** The state of the transaction at one moment, between two steps. */
export interface Moment {
  /** The id of the open transaction; null if a step has ended it. */
  readonly transaction: string | null;
  /** How long the session lets a statement take, and wait for a lock, in ms; 0 is for ever. */
  readonly limits: Limits;
  /** Position of the write-ahead log, in bytes. */
  readonly wal: number;
  /** Locks on tables, strongest first, each with the oid and the filenode of its table. */
  readonly locks: readonly (HeldLock & { readonly oid: string; readonly filenode: string })[];
}

interface MomentRow extends Pick<Moment, 'transaction'> {
  readonly limits: readonly [statement: string, lock: string];
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
  const { transaction, limits, wal, locks } = rows[0] as MomentRow;
  const held = locks
    .filter(({ name: [schema] }) => !schema.startsWith('pg_') && schema !== 'backstop')
    .map(({ name, ...lock }) => ({ ...lock, relation: name.join('.') }));
  const [statement, lock] = limits;
  return {
    transaction,
    limits: [milliseconds(statement), milliseconds(lock)],
    wal: Number(wal),
    locks: held.sort(strongestFirst),
  };
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

/** Rows written since the reading before, a line for each table that was written to, by name. */
export function compareWrittenRows(before: WrittenRows, { relations }: Touched): RowCounts[] {
  return relations
    .flatMap(({ oid, schema, name, isCounted, inserted, updated, deleted }) => {
      if (schema === null || name === null || !isCounted) return [];
      const was = before.get(oid) ?? { inserted: 0, updated: 0, deleted: 0 };
      const rows = {
        inserted: inserted - was.inserted,
        updated: updated - was.updated,
        deleted: deleted - was.deleted,
      };
      return [{ relation: qualified({ schema, name }), ...rows }];
    })
    .filter(({ inserted, updated, deleted }) => inserted + updated + deleted > 0)
    .sort((a, b) => (a.relation < b.relation ? -1 : 1));
}
