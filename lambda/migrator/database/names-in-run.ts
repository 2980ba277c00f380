// The meaning of a name at its place in the run: earlier statements make, rename and drop relations.
import { type Effect, isLock, type Lock } from '../grammar/effect.ts';
import { quote } from '../grammar/names.ts';
import { DEFAULT_PATH } from '../revisions/search-path.ts';

/** An effect with the full names that its names may stand for, the first choice first. */
export interface Place {
  readonly effect: Exclude<Effect, { path: unknown }>;
  readonly candidates: (name: string) => readonly string[];
  /** The schemas in which names are looked up at this place. */
  readonly schemas: readonly string[];
}

/** The meaning of a name: an object that exists before the run. `index`: the name is of a new index on that table. */
interface Meaning {
  readonly oid: string;
  readonly isNewIndex?: boolean;
}

/** Gives each name that is not qualified the schemas of its script, or of the last `SET search_path` before it. */
export function placesOf(effects: readonly Effect[], user: string): Place[] {
  let schemas = DEFAULT_PATH;
  const places: Place[] = [];
  for (const effect of effects) {
    if ('path' in effect) {
      schemas = effect.path?.map((schema) => (schema === '$user' ? user : schema)) ?? DEFAULT_PATH;
      continue;
    }
    const now = ['pg_temp', ...schemas].map(quote);
    const isWhole = (name: string) => name.includes('"."') || hasNoSchema(effect);
    places.push({
      effect,
      schemas,
      candidates: (name) => (isWhole(name) ? [name] : now.map((schema) => `${schema}.${name}`)),
    });
  }
  return places;
}

function hasNoSchema(effect: Effect): boolean {
  return isLock(effect) && (effect.of === 'schema' || effect.of === 'extension');
}

/** The key under which {@link Names} knows a name: names of relations, types and schemas are apart. */
export function keyOf(effect: Place['effect'], name: string): string {
  return `${(isLock(effect) && effect.of) || 'relation'} ${name}`;
}

/** The meanings of names; follow the effects in their order. */
export class Names {
  readonly #known: ReadonlyMap<string, string>;
  /** Key → what it means since; `made` by the run, or `gone`. */
  readonly #since = new Map<string, Meaning | 'made' | 'gone'>();

  /** @param known key → oid before the run */
  constructor(known: ReadonlyMap<string, string>) {
    this.#known = known;
  }

  /** The object that the lock is on; undefined if it does not exist before the run. */
  find({ effect, candidates }: Place, name: string): Meaning | undefined {
    for (const key of candidates(name).map((one) => keyOf(effect, one))) {
      const oid = this.#known.get(key);
      const now = this.#since.get(key) ?? (oid === undefined ? 'gone' : { oid });
      if (now === 'made') return undefined;
      if (now !== 'gone') return now;
    }
    return undefined;
  }

  follow(place: Place): void {
    const { effect, candidates } = place;
    if (isLock(effect)) {
      if (leaves(effect)) this.#forget(place, effect.relation);
      return;
    }
    const { makes, was, indexOf } = effect;
    const key = keyOf(effect, this.#homeOf(candidates(makes)));
    if (was !== undefined) {
      const meaning = this.find(place, was);
      this.#forget(place, was);
      this.#since.set(key, meaning ?? 'made');
    } else if (indexOf !== undefined) {
      const table = this.find(place, indexOf);
      this.#since.set(key, table ? { ...table, isNewIndex: true } : 'made');
    } else if (!this.#known.has(key) || this.#since.get(key) === 'gone') {
      // With IF NOT EXISTS, a relation of that name stays.
      this.#since.set(key, 'made');
    }
  }

  #forget({ effect, candidates }: Place, name: string): void {
    const key = candidates(name)
      .map((one) => keyOf(effect, one))
      .find((one) => this.#since.has(one) || this.#known.has(one));
    if (key !== undefined) this.#since.set(key, 'gone');
  }

  /** New relations are made in the first schema, unless they are temporary. */
  #homeOf(candidates: readonly string[]): string {
    return (candidates.length > 1 ? candidates[1] : candidates[0]) ?? '';
  }
}

/** Whether nothing has the name afterwards. */
function leaves({ drops, retires }: Lock): boolean {
  if (retires === 'table') return true;
  return drops !== undefined && drops.column === undefined && drops.constraint === undefined;
}
