// The work under the locks of a run, as the catalogue decides about it: passes, rewrites, index builds, foreign keys.
import type { Work } from '../grammar/effect.ts';
import type { Queries } from '../session/client.ts';
import { isServerError } from '../session/sqlstate.ts';
import { briefly } from './briefly.ts';
import type { Foreseen } from './foresee.ts';
import { changesRows, type NewType } from './type-change.ts';
import { type Facts, type ForeignKey, readFacts } from './work-facts.ts';

/** The work of one statement on one table and its children. */
export interface Job {
  readonly oid: string;
  readonly withChildren: boolean;
  /** Where the names in its expressions are looked up. */
  readonly schemas: readonly string[];
  readonly isRewrite: boolean;
  /** Whether all rows are read once: one pass serves all constraints, and a rewrite serves them too. */
  readonly isPass: boolean;
  /** The expressions that the pass evaluates, as SQL. */
  readonly checks: readonly string[];
  readonly indexes: readonly NewIndex[];
  /** Whether all indexes that are there are built again, or only this one. */
  readonly rebuilds: boolean | string;
  readonly foreignKeys: readonly ForeignKey[];
}

export type NewIndex = Omit<Extract<Work, { kind: 'index' }>, 'kind' | 'unless'>;

/** The jobs of the locks, in their order; without work, a lock makes no job. */
export async function decideWork(queries: Queries, foreseen: readonly Foreseen[]): Promise<Job[]> {
  const asked = foreseen.flatMap(({ oid, work, schemas }) => work.map((one) => ({ oid, schemas, ...one })));
  if (asked.length === 0) return [];
  const facts = await readFacts(queries, asked);
  const jobs: Job[] = [];
  const proven = new Set<string>();
  let place = 0;
  for (const lock of foreseen) {
    const parts: Part[] = [];
    for (const work of lock.work) {
      const about = facts[place++] as Facts;
      if (about.exists || isProven(proven, lock.oid, work)) continue;
      parts.push(await partOf(queries, lock, work, about));
    }
    const { oid, withChildren, schemas } = lock;
    if (parts.length > 0) jobs.push({ oid, withChildren, schemas, ...merge(parts) });
  }
  return jobs;
}

/** Whether a CHECK that the run itself has added before proves the NOT NULL. */
function isProven(proven: Set<string>, oid: string, work: Work): boolean {
  if (work.kind === 'scan') proven.add(`${oid} ${work.check}`);
  return work.kind === 'not null' && proven.has(`${oid} (${work.column} IS NOT NULL)`);
}

/** The part of a job that its work makes. */
type Added = Omit<Job, 'oid' | 'withChildren' | 'schemas'>;
type Part = Partial<Added>;

const REWRITE: Part = { isRewrite: true };
const PASS: Part = { isPass: true };

async function partOf(queries: Queries, lock: Foreseen, work: Work, facts: Facts): Promise<Part> {
  switch (work.kind) {
    case 'scan':
      return { isPass: true, checks: work.check === undefined ? [] : [work.check] };
    case 'not null':
      return facts.isProven ? {} : PASS;
    case 'index':
      return { indexes: [work] };
    case 'reindex':
      return { rebuilds: lock.index ?? true };
    case 'foreign key':
      return { foreignKeys: facts.foreignKeys };
    case 'validate':
      return validation(facts);
    case 'type':
      return typeChange(queries, lock, work, facts);
    default:
      return isRewrite(work, facts) ? REWRITE : {};
  }
}

function isRewrite(work: Work, facts: Facts): boolean {
  if (work.kind === 'persistence') return facts.isLogged !== work.logged;
  return work.kind === 'default' ? facts.isVolatile || facts.newHasRules : true;
}

function validation({ isValidated, isForeignKey, foreignKeys }: Facts): Part {
  if (isValidated) return {};
  return isForeignKey ? { foreignKeys } : PASS;
}

async function typeChange(
  queries: Queries,
  { schemas }: Foreseen,
  { type, using }: Extract<Work, { kind: 'type' }>,
  facts: Facts,
): Promise<Part> {
  const isRewritten =
    using === true || changesRows(facts, await newTypeOf(queries, { type, schemas }, facts));
  // Without a rewrite, a CHECK on the column is made again all the same.
  return isRewritten ? { isRewrite: true, foreignKeys: facts.foreignKeys } : { isPass: facts.hasCheck };
}

/** For the question about a type, in ms. */
const TYPE_MS = 1_000;

/** Undefined if the type is not there yet, or is not known. */
async function newTypeOf(
  queries: Queries,
  { type, schemas }: { readonly type: string; readonly schemas: readonly string[] },
  facts: Facts,
): Promise<NewType | undefined> {
  const { newType, newBase, newHasRules, isBinary, isUtc } = facts;
  if (newType === null || newBase === null) return undefined;
  try {
    const { fields } = await briefly(queries, { withinMs: TYPE_MS, searchPath: schemas }, () =>
      queries.query(`SELECT CAST(NULL AS ${type}) LIMIT 0`),
    );
    const modifier = fields[0]?.dataTypeModifier ?? -1;
    return { base: newBase, modifier, hasRules: newHasRules, isBinary, isUtc };
  } catch (error) {
    if (!isServerError(error)) throw error;
    return undefined;
  }
}

function merge(parts: readonly Part[]): Added {
  return {
    isRewrite: parts.some(({ isRewrite }) => isRewrite),
    isPass: parts.some(({ isPass }) => isPass),
    checks: parts.flatMap(({ checks }) => checks ?? []),
    indexes: parts.flatMap(({ indexes }) => indexes ?? []),
    rebuilds: parts.find(({ rebuilds }) => rebuilds)?.rebuilds ?? false,
    foreignKeys: parts.flatMap(({ foreignKeys }) => foreignKeys ?? []),
  };
}
