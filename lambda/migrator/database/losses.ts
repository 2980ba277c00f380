// The rows that a transaction takes away from tables that were there before it, as the server counts them.
import pg from 'pg';
import type { Work } from '../grammar/effect.ts';
import { ROWS_COUNTED } from '../model/losing.ts';
import type { OwnTable, RowLoss } from '../model/losses.ts';
import type { Queries } from '../session/client.ts';
import {
  isRetired,
  qualified,
  type Relations,
  type Touched,
  type TouchedRelation,
  type WrittenRows,
} from './evidence.ts';
import type { Foreseen } from './foresee.ts';

/** The rows of a table that will lose them or a column, or be rewritten. */
interface Stake {
  /** Counted up to one more than {@link ROWS_COUNTED}; null if that is not known. */
  readonly rows: number | null;
  /** Whether they go, as the statements show; a rewrite keeps them. */
  readonly isLost: boolean;
  /** The numbers of the columns that will go and hold no value. */
  readonly emptyColumns: readonly number[];
}

/** oid → the rows of the table. */
export type RowsAtStake = ReadonlyMap<string, Stake>;

/** A table with more rows is locked too long while the values of a column are looked for, in rows. */
const ROWS_READ = 100_000;

/** Counts the rows of the tables that will go, be emptied or be rewritten, as the statements show. Their locks must be held. */
export async function countRowsAtStake(
  queries: Queries,
  foreseen: readonly Foreseen[],
): Promise<RowsAtStake> {
  const meant = foreseen.filter(({ kind, loses, work }) => {
    return kind === 'r' && (loses !== undefined || work.some(mayRewrite));
  });
  if (meant.length === 0) return new Map();
  const readable = await findReadable(
    queries,
    meant.map(({ oid }) => oid),
  );
  const tables = new Map<string, Foreseen[]>();
  for (const lock of meant) {
    if (readable.has(lock.oid)) tables.set(lock.oid, [...(tables.get(lock.oid) ?? []), lock]);
  }
  const others = meant.filter(({ oid, loses }) => !readable.has(oid) && typeof loses === 'string');
  const unknown = others.map(({ oid }) => [oid, { rows: null, isLost: true, emptyColumns: [] }] as const);
  if (tables.size === 0) return new Map(unknown);
  const { rows } = await queries.query<Stake & { oid: string }>(
    [...tables].map(([oid, locks]) => stakeOf(oid, locks)).join(' UNION ALL '),
  );
  return new Map([...unknown, ...rows.map(({ oid, ...stake }) => [oid, stake] as const)]);
}

/** The tables whose rows this user sees, all of them: no policy hides any. */
export async function findReadable(queries: Queries, oids: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await queries.query<{ oid: string }>(
    `SELECT oid::text AS oid FROM pg_catalog.unnest($1::oid[]) AS oid
     WHERE NOT pg_catalog.row_security_active(oid) AND pg_catalog.has_table_privilege(oid, 'SELECT')`,
    [oids],
  );
  return new Set(rows.map(({ oid }) => oid));
}

function stakeOf(oid: string, locks: readonly Foreseen[]): string {
  const sql = locks[0]?.sql ?? '';
  const columns = new Set(locks.flatMap(({ loses }) => (typeof loses === 'object' ? [loses.column] : [])));
  const isEmpty = [...columns].map(
    (column) => `CASE WHEN (SELECT pg_catalog.count(*) <= ${ROWS_READ} AND pg_catalog.count(value) = 0
        FROM (SELECT ${column} AS value FROM ONLY ${sql} LIMIT ${ROWS_READ + 1}) AS rows)
      THEN (SELECT a.attnum FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = ${oid} AND a.attname = ${unquoted(column)}) END`,
  );
  return `SELECT '${oid}' AS oid, ${countOf(`ONLY ${sql}`)} AS rows,
    ${locks.some(({ loses }) => typeof loses === 'string')} AS "isLost",
    pg_catalog.array_remove(ARRAY[${['NULL', ...isEmpty].join(', ')}]::smallint[], NULL) AS "emptyColumns"`;
}

/** A quoted name as a literal. */
function unquoted(name: string): string {
  return pg.escapeLiteral(name.slice(1, -1).replaceAll('""', '"'));
}

/** An expression: how many rows the FROM clause chooses. */
export function countOf(from: string): string {
  return `(SELECT pg_catalog.count(*) FROM (SELECT FROM ${from} LIMIT ${ROWS_COUNTED + 1}) AS rows)::float8`;
}

/** The state before the transaction, as far as losses are measured by it. */
export interface Before {
  readonly before: Relations;
  readonly writtenBefore: WrittenRows;
  readonly atStake: RowsAtStake;
  /** The locks that the statements show; undefined if the run does things that they do not show. */
  readonly shown?: readonly Foreseen[] | undefined;
  /** Whether the run drops retired tables because it was asked to. */
  readonly finalizes: boolean;
  /** oid → how many columns a table had before the upgrades that are taken back: the others are the upgrades' own. */
  readonly own?: ReadonlyMap<string, number>;
}

/** The tables that the transaction has made or given columns to, by their oids, with the columns that they had before. */
export function ownTables(before: Relations, { relations }: Touched): OwnTable[] {
  return relations.flatMap(({ oid, name, columns }) => {
    const had = before.get(oid)?.columns ?? 0;
    return name !== null && name !== 'alembic_version' && had < columns ? [{ oid, columns: had }] : [];
  });
}

/** The losses of the transaction, sorted by table. Retired tables that a finalize drops are left out. */
export async function readLosses(
  queries: Queries,
  state: Before,
  { relations }: Touched,
): Promise<RowLoss[]> {
  const losses: RowLoss[] = [];
  for (const relation of relations) {
    const was = state.before.get(relation.oid);
    // The rows of a materialized view are found again by its query, and a table of the upgrades goes with them.
    if (was === undefined || was.kind === 'm' || was.name === 'alembic_version') continue;
    if (state.own?.get(relation.oid) === 0) continue;
    const found =
      relation.name === null
        ? lossOfDropped(state, relation, was)
        : await lossesOfChanged(queries, state, relation, was);
    losses.push(...found.map((loss) => ({ relation: qualified(was), ...loss })));
  }
  return losses
    .filter(({ count }) => count !== 0)
    .sort((one, other) => (one.relation < other.relation ? -1 : 1));
}

type Found = Pick<RowLoss, 'how' | 'count'>;
type Was = Relations extends ReadonlyMap<string, infer Relation> ? Relation : never;

/** Each partition of a partitioned table is named by itself. */
function lossOfDropped({ atStake, finalizes }: Before, { oid }: TouchedRelation, was: Was): Found[] {
  return (finalizes && isRetired(was)) || was.kind === 'p'
    ? []
    : [{ how: 'dropped', count: atStake.get(oid)?.rows ?? null }];
}

async function lossesOfChanged(
  queries: Queries,
  state: Before,
  relation: TouchedRelation,
  was: Was,
): Promise<Found[]> {
  const { oid, updated, deleted, columnsDropped, filenode } = relation;
  const { emptyColumns = [] } = state.atStake.get(oid) ?? {};
  const written = state.writtenBefore.get(oid) ?? { updated: 0, deleted: 0 };
  const older = state.own?.get(oid) ?? was.columns;
  const columns = columnsDropped.filter((number) => number <= older && !emptyColumns.includes(number));
  return [
    { how: 'deleted', count: deleted - written.deleted },
    {
      how: 'updated',
      count: (await setsOnlyOwn(queries, state, relation, was)) ? 0 : updated - written.updated,
    },
    { how: 'columns dropped', count: columns.length },
    ...(filenode === was.filenode ? [] : [await lossOfNewFile(queries, state, relation, older)]),
  ];
}

/** A table with a new file was emptied or rewritten; a rewrite may convert the values of columns. */
async function lossOfNewFile(
  queries: Queries,
  state: Before,
  relation: TouchedRelation,
  older: number,
): Promise<Found> {
  const { rows: held = null } = state.atStake.get(relation.oid) ?? {};
  if (await isEmptied(queries, state, relation)) return { how: 'emptied', count: held };
  const { rows } = await queries.query<{ count: number }>(
    `SELECT pg_catalog.count(*)::float8 AS count FROM pg_catalog.pg_attribute AS a
     WHERE a.attrelid = $1 AND a.attnum BETWEEN 1 AND $2 AND NOT a.attisdropped AND pg_catalog.age(a.xmin) <= 0`,
    [relation.oid, older],
  );
  return { how: 'columns converted', count: held === 0 ? 0 : (rows[0]?.count ?? 0) };
}

/**
 * Whether each UPDATE of the table sets only columns that the run has added: no value that was there before has gone. If a
 * trigger, a rule or a foreign key may have written as well, that is not known.
 */
async function setsOnlyOwn(
  queries: Queries,
  { shown }: Before,
  { oid, updated }: TouchedRelation,
  was: Was,
): Promise<boolean> {
  if (updated === 0 || shown === undefined) return false;
  const names = shown.flatMap((lock) => (lock.oid === oid ? (lock.sets ?? []) : []));
  if (names.length === 0) return false;
  const { rows } = await queries.query<{ own: boolean }>(
    `WITH held AS (SELECT relation FROM pg_catalog.pg_locks WHERE pid = pg_catalog.pg_backend_pid() AND locktype = 'relation')
     SELECT NOT EXISTS (SELECT FROM pg_catalog.unnest($2::text[]) AS name WHERE NOT EXISTS (
              SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = $1 AND a.attname = name AND a.attnum > $3))
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger AS t JOIN held ON held.relation = t.tgrelid WHERE NOT t.tgisinternal)
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_rewrite AS w JOIN held ON held.relation = w.ev_class WHERE w.ev_type <> '1')
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS c
                        WHERE c.conrelid = $1 AND c.contype = 'f' AND c.confupdtype IN ('c', 'n', 'd')) AS own`,
    [oid, names, was.columns],
  );
  return rows[0]?.own === true;
}

/**
 * A table with a new file was emptied or rewritten. A rewrite keeps every row, and is not counted as rows written. How large
 * the old file was cannot be asked beforehand: that waits for locks.
 */
async function isEmptied(
  queries: Queries,
  { atStake }: Before,
  { oid, inserted, schema, name }: TouchedRelation,
): Promise<boolean> {
  const stake = atStake.get(oid);
  if (stake?.isLost) return true;
  if (stake?.rows === 0) return false;
  if (inserted > 0) return stake === undefined;
  const table = [schema, name].map((part) => pg.escapeIdentifier(part ?? '')).join('.');
  const { rows } = await queries.query<{ empty: boolean }>(
    `SELECT NOT EXISTS (SELECT FROM ONLY ${table}) AS empty`,
  );
  return rows[0]?.empty === true;
}

function mayRewrite({ kind }: Work): boolean {
  return kind === 'rewrite' || kind === 'type' || kind === 'default' || kind === 'persistence';
}
