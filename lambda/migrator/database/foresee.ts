// The locks of a run, foreseen: the names in the effects of its statements, looked up in the catalogue before it begins.
import { type Effect, isLock, type Lock, type LockMode, strongest, type Work } from '../grammar/effect.ts';
import type { Queries } from '../session/client.ts';
import { keyOf, Names, type Place, placesOf } from './names-in-run.ts';
import { REACHED, type Reached, type Target } from './reach.ts';

/** A lock on a relation that exists before the run. */
export interface Foreseen extends Omit<Reached, 'place'> {
  readonly mode: LockMode;
  /** Includes the work on its children. Empty if the statement does not name the relation. */
  readonly work: readonly Work[];
  /** Whether the work is on the child tables, too. */
  readonly withChildren: boolean;
  /** Whether the user must own it. */
  readonly isOwned: boolean;
  /** It loses all its rows, goes itself, or loses a column; not said of an object that goes because it depends on another. */
  readonly loses?: 'rows' | 'itself' | { readonly column: string };
  /** The columns that an UPDATE sets; an empty name means any. */
  readonly sets?: readonly string[];
  /** The schemas in which names of the work are looked up. */
  readonly schemas: readonly string[];
}

/**
 * The locks of the effects, in their order. A relation that the run itself makes is left out: its lock is in the way
 * of no one. So is a name that nothing has.
 */
export async function foresee(queries: Queries, effects: readonly Effect[]): Promise<Foreseen[]> {
  const targets = await findTargets(queries, effects);
  if (targets.length === 0) return [];
  const wanted = targets.map(({ effect: _effect, schemas: _schemas, ...target }) => target);
  const answer = await queries.query<Reached>(REACHED, [JSON.stringify(wanted)]);
  return answer.rows.flatMap(({ place, ...relation }) => {
    const target = targets[place];
    if (target === undefined) return [];
    const { effect, schemas } = target;
    const { mode, work = [], of, reaches, only, owned = false } = effect;
    const isMeant = relation.isNamed || of !== undefined || reaches === 'default partition';
    return [
      {
        ...relation,
        mode,
        work: isMeant ? work : [],
        withChildren: !only,
        isOwned: owned && relation.isNamed,
        ...(relation.isNamed || relation.isChild || relation.oid === target.oid ? losesOf(effect) : {}),
        ...(effect.sets && { sets: effect.sets }),
        schemas,
      },
    ];
  });
}

function losesOf({ drops, empties, of, mode }: Lock): Pick<Foreseen, 'loses'> {
  // The rows that a DELETE takes are counted when they are gone.
  if (empties) return mode === 'AccessExclusiveLock' ? { loses: 'rows' } : {};
  if (drops === undefined || of !== undefined || drops.constraint !== undefined || drops.remade) return {};
  return { loses: drops.column === undefined ? 'itself' : { column: drops.column } };
}

/** The objects that the locks are on, as far as they exist before the run. */
export async function findTargets(queries: Queries, effects: readonly Effect[]): Promise<LockTarget[]> {
  if (!effects.some(isLock)) return [];
  const { rows } = await queries.query<{ user: string }>('SELECT current_user AS user');
  const places = placesOf(effects, rows[0]?.user ?? '');
  return targetsOf(places, new Names(await lookUp(queries, places)));
}

/** Key of a name → oid. */
async function lookUp(queries: Queries, places: readonly Place[]): Promise<ReadonlyMap<string, string>> {
  const asked = places.flatMap(({ effect, candidates }) => {
    const names = isLock(effect) ? [effect.relation] : [effect.makes, effect.was ?? effect.makes];
    return names.flatMap(candidates).map((name) => ({ key: keyOf(effect, name), name }));
  });
  const { rows } = await queries.query<{ key: string; oid: string | null }>(
    `SELECT DISTINCT key, CASE pg_catalog.split_part(key, ' ', 1)
       WHEN 'schema' THEN (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = name[1])
       WHEN 'extension' THEN (SELECT oid FROM pg_catalog.pg_extension WHERE extname = name[1])
       WHEN 'function' THEN (SELECT pg_catalog.min(p.oid::bigint)::oid FROM pg_catalog.pg_proc AS p
         JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace WHERE nspname = name[1] AND proname = name[2])
       WHEN 'relation' THEN (SELECT c.oid FROM pg_catalog.pg_class AS c
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE nspname = name[1] AND relname = name[2])
       ELSE (SELECT t.oid FROM pg_catalog.pg_type AS t
         JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace WHERE nspname = name[1] AND typname = name[2])
     END::text AS oid
     FROM (SELECT key, pg_catalog.parse_ident(name)::name[] AS name
           FROM pg_catalog.jsonb_to_recordset($1::jsonb) AS row (key text, name text)) AS asked`,
    [JSON.stringify(asked)],
  );
  return new Map(rows.flatMap(({ key, oid }) => (oid === null ? [] : [[key, oid]])));
}

/** A lock on an object that exists before the run. */
export interface LockTarget extends Target, Pick<Place, 'schemas'> {
  readonly effect: Lock;
}

function targetsOf(places: readonly Place[], names: Names): LockTarget[] {
  const targets: LockTarget[] = [];
  for (const place of places) {
    const { effect } = place;
    const found = isLock(effect) ? names.find(place, effect.relation) : undefined;
    names.follow(place);
    if (!isLock(effect) || found === undefined) continue;
    const drops = found.isNewIndex ? undefined : effect.drops;
    targets.push({
      place: targets.length,
      of: effect.of ?? 'relation',
      oid: found.oid,
      children: !effect.only && !found.isNewIndex,
      reaches: effect.reaches ?? null,
      drops: drops !== undefined,
      column: unquoted(drops?.column),
      constraint: unquoted(drops?.constraint),
      effect,
      schemas: place.schemas,
    });
  }
  return targets;
}

function unquoted(name: string | undefined): string | null {
  return name === undefined ? null : name.slice(1, -1).replaceAll('""', '"');
}

/** The strongest mode that is foreseen on each relation, by its oid. */
export function modesOf(foreseen: readonly Foreseen[]): ReadonlyMap<string, LockMode> {
  const modes = new Map<string, LockMode>();
  for (const { oid, mode } of foreseen) modes.set(oid, strongest([mode, modes.get(oid) ?? mode]));
  return modes;
}

/**
 * The tables that the run will lock in ACCESS EXCLUSIVE mode anyway, as LOCK TABLE names them, in the order in which it
 * needs them. Views, and tables that the user may not lock so, are left out.
 */
export function lockedAnyway(foreseen: readonly Foreseen[]): string[] {
  const all = foreseen.filter(({ mode, mayLock, isChild }) => {
    return mode === 'AccessExclusiveLock' && mayLock && !isChild;
  });
  const names = all.map(({ sql, isNamed, withChildren }) => (isNamed && withChildren ? sql : `ONLY ${sql}`));
  return [...new Set(names)];
}
