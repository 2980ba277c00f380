// The way back, read from the statements of downgrades: rows and values that would be lost, and objects in the way.
import pg from 'pg';
import type { Effect } from '../grammar/effect.ts';
import { isLock } from '../grammar/effect.ts';
import type { CheckReport, RevisionId } from '../model/report.ts';
import { revisionOf } from '../revisions/chain.ts';
import { effectsIn } from '../revisions/effects.ts';
import type { Revision } from '../revisions/revision.ts';
import type { Queries } from '../session/client.ts';
import type { Session } from '../session/session.ts';
import { DROPPED, type Dropped, type DropTarget } from './dropped.ts';
import { findTargets, type LockTarget } from './foresee.ts';
import { upgradeTransactions } from './history.ts';

const ROWS_REPORTED = 20;

/** An object that a downgrade drops or empties. */
interface Target extends DropTarget {
  readonly revision: RevisionId;
  readonly where: string | undefined;
}

/**
 * The failed checks of the engine: V0.4, for rows and values that would be lost, and V0.5, for views, materialized views,
 * foreign keys and child tables that stop the downgrade or go with its CASCADE. A revision's own checks come first: a table
 * or column that they name is theirs. The open transaction may only read.
 *
 * @param sinceUpgrade whether the rows that the upgrade itself has written do not count
 */
export async function foreseeWayBack(
  session: Pick<Session, 'query' | 'database'>,
  ids: readonly RevisionId[],
  sinceUpgrade: boolean,
): Promise<readonly CheckReport[]> {
  const started = performance.now();
  const revisions = ids.map((id) => revisionOf(session.database.chain, id));
  const targets = await findDropped(session, revisions);
  if (targets.length === 0) return [];
  const { rows: found } = await session.query<Dropped>(DROPPED, [JSON.stringify(targets)]);
  const lost: Line[] = [];
  for (const dropped of found.filter(({ kind }) => kind === 'rows' || kind === 'values')) {
    const { revision, where, xid } = targets[dropped.place] as Target;
    if (isNamed(revisionOf(session.database.chain, revision), dropped)) continue;
    const rows = await count(session, countOf(dropped, where, sinceUpgrade ? xid : null));
    const { name, column } = dropped;
    if (rows !== 0)
      lost.push({ revision, row: { table_name: name, ...(column && { column_name: column }), rows } });
  }
  const inTheWay = found
    .filter(({ kind }) => kind === 'stops' || kind === 'goes')
    .map(({ place, kind, name, sql }): Line => {
      const downgrade = kind === 'stops' ? 'fails' : 'drops it';
      return { revision: (targets[place] as Target).revision, row: { object: name, downgrade, remedy: sql } };
    });
  const durationMs = performance.now() - started;
  return ids.flatMap((id) => [
    ...report(id, 'V0.4', 'the downgrade drops no row and no value', lost, durationMs),
    ...report(
      id,
      'V0.5',
      'no other object needs a table or column that the downgrade drops',
      inTheWay,
      durationMs,
    ),
  ]);
}

/** A row of a report. */
interface Line {
  readonly revision: RevisionId;
  readonly row: Readonly<Record<string, unknown>>;
}

function report(
  revision: RevisionId,
  id: string,
  title: string,
  lines: readonly Line[],
  durationMs: number,
): CheckReport[] {
  const rows = lines.filter((line) => line.revision === revision).map(({ row }) => row);
  if (rows.length === 0) return [];
  const shownAs = [`${id} ${title}`];
  const violations = rows.length;
  return [
    {
      revision,
      id,
      title,
      shownAs,
      passed: false,
      violations,
      rows: rows.slice(0, ROWS_REPORTED),
      durationMs,
    },
  ];
}

/** The objects that the statements of the downgrades drop or empty, as far as they exist and are no steps of a function. */
async function findDropped(queries: Queries, revisions: readonly Revision[]): Promise<Target[]> {
  const owner = new Map<Effect, RevisionId>();
  const effects = revisions.flatMap(({ id, downgrade }) => {
    const found = effectsIn([downgrade]) ?? [];
    for (const effect of found) owner.set(effect, id);
    return found;
  });
  const isLoss = (effect: Effect) =>
    isLock(effect) && (effect.empties !== undefined || (effect.drops && !effect.drops.remade));
  if (!effects.some(isLoss)) return [];
  const found = (await findTargets(queries, effects)).filter(({ effect }) => isLoss(effect));
  const transactions = await upgradeTransactions(
    queries,
    revisions.map(({ id }) => id),
  );
  return found.map((target, place) => {
    const revision = owner.get(target.effect) ?? '';
    return { ...dropOf(target), place, revision, xid: transactions.get(revision) ?? null };
  });
}

function dropOf({ effect, of, oid, children, reaches, column, constraint }: LockTarget) {
  const isColumn = effect.drops?.column !== undefined;
  return {
    of,
    oid,
    // Partitions go with their table by themselves, and with a column so do the columns of all children.
    children: effect.empties !== undefined ? children : isColumn && children,
    reaches,
    column,
    constraint,
    cascade: effect.drops?.cascade === true,
    empties: effect.empties !== undefined,
    where: effect.empties?.where,
  };
}

/** Whether a check of the revision itself names the table, or the column of it. */
function isNamed({ checks }: Revision, { relation, column }: Dropped): boolean {
  const texts = checks['before-downgrade'].flatMap(({ sql, gathers = [] }) => [
    sql,
    ...gathers.map(({ query }) => query.sql),
  ]);
  const text = texts.join('\n');
  const has = (name: string) => {
    const escaped = name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
    return new RegExp(`(?<![\\w$])${escaped}(?![\\w$])`).test(text);
  };
  return has(relation) && (column === null || has(column));
}

/** The query that counts what would be lost: rows, or values that are neither null nor the default. */
function countOf({ sql, column, constant, missing }: Dropped, where: string | undefined, xid: string | null) {
  const conditions = [
    ...(where === undefined ? [] : [where]),
    ...(xid === null ? [] : [`xmin::text <> '${xid}'`]),
  ];
  if (column !== null) {
    const name = pg.escapeIdentifier(column);
    conditions.push(`${name} IS NOT NULL`);
    const kept = [
      ...(constant === null ? [] : [`pg_catalog.format('%s', ${constant})`]),
      ...(missing === null ? [] : [pg.escapeLiteral(missing)]),
    ];
    if (kept.length > 0)
      conditions.push(`pg_catalog.format('%s', ${name}) <> ALL (ARRAY[${kept.join(', ')}])`);
  }
  const filter = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  return `SELECT pg_catalog.count(*) AS rows FROM ONLY ${sql}${filter}`;
}

/** Rows that the user may not read, or that row-level security would hide, are not known: that counts as a loss. */
async function count(queries: Queries, sql: string): Promise<number | 'not known'> {
  await queries.query('SAVEPOINT backstop_count');
  try {
    const { rows } = await queries.query<{ rows: string }>(sql);
    await queries.query('RELEASE SAVEPOINT backstop_count');
    return Number(rows[0]?.rows ?? 0);
  } catch {
    await queries.query('ROLLBACK TO SAVEPOINT backstop_count');
    return 'not known';
  }
}
