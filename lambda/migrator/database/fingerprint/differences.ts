// The differences of two fingerprints, object by object. The server compares them, because their lines may be many.
import { ENTRIES_KEPT } from '../../model/bounded.ts';
import type { Change, Differences } from '../../model/differences.ts';
import type { Queries } from '../../session/client.ts';
import { hasFingerprints } from './kept.ts';
import { askNow } from './query.ts';

const HASH = /^[0-9a-f]{64}$/;

/** Characters of a definition. */
const LONGEST = 500;

const linesOf = (hash: string) => `(SELECT f.lines FROM backstop.fingerprints AS f WHERE f.hash = '${hash}')`;

/** A row for each object that differs: its definition on each side, or NULL. The arguments are texts of lines, as SQL. */
const differing = (before: string, after: string) => {
  const lines = (text: string) => `(SELECT l FROM pg_catalog.string_to_table(${text}, E'\\n') AS l)`;
  const only = (one: string, other: string) => `
    SELECT pg_catalog.split_part(line, E'\\t', 1) AS object, pg_catalog.substring(line, E'\\t(.*)') AS definition
    FROM (${lines(one)} EXCEPT ${lines(other)}) AS lines (line)`;
  return `SELECT object, gone.definition AS before, come.definition AS after
    FROM (${only(before, after)}) AS gone FULL JOIN (${only(after, before)}) AS come USING (object)`;
};

/** Two kept fingerprints. */
export interface Pair {
  readonly before: string;
  readonly after: string;
}

/** The objects that changed between the fingerprints of a pair, as they are after it; none if its lines are not kept. */
const changed = ({ before, after }: Pair) => `
  SELECT object, after FROM (${differing(linesOf(before), linesOf(after))}) AS pair
  WHERE ${linesOf(before)} IS NOT NULL AND ${linesOf(after)} IS NOT NULL`;

/** The arguments are texts of lines, as SQL. */
const compare = (before: string, after: string, except: readonly Pair[]) => `
  texts (before, after) AS MATERIALIZED (SELECT ${before}, ${after}),
  expected (object, after) AS (${['SELECT NULL::text, NULL::text WHERE false', ...except.map(changed)].join(' UNION ALL ')}),
  changes AS (
    SELECT d.*, pg_catalog.row_number() OVER (ORDER BY object COLLATE "C") AS place, pg_catalog.count(*) OVER () AS count
    FROM (${differing('(SELECT before FROM texts)', '(SELECT after FROM texts)')}) AS d
    WHERE NOT EXISTS (SELECT FROM expected AS e WHERE e.object = d.object AND e.after IS NOT DISTINCT FROM d.after))
  SELECT (SELECT before IS NOT NULL AND after IS NOT NULL FROM texts) AS known, pg_catalog.count(*)::int AS count,
         coalesce(pg_catalog.json_agg(pg_catalog.json_strip_nulls(pg_catalog.json_build_object(
           'object', object,
           'change', CASE WHEN before IS NULL THEN 'added' WHEN after IS NULL THEN 'removed' ELSE 'changed' END,
           'before', pg_catalog.left(before, ${LONGEST}), 'after', pg_catalog.left(after, ${LONGEST}))) ORDER BY place)
           FILTER (WHERE place <= ${ENTRIES_KEPT / 2} OR place > count - ${ENTRIES_KEPT / 2}), '[]') AS changes
  FROM changes`;

interface Answer {
  readonly known: boolean;
  readonly count: number;
  readonly changes: readonly Change[];
}

/**
 * The changes from the kept fingerprint `before` to the kept fingerprint `after`, or to the database now. A long list has its
 * first and last changes.
 *
 * @param except objects that are as they are after one of these pairs do not count
 * @returns undefined if the lines of one of them are not kept
 */
export async function readDifferences(
  queries: Queries,
  before: string,
  after?: string,
  except: readonly Pair[] = [],
): Promise<Differences | undefined> {
  const known =
    [before, after ?? before, ...except.flatMap((pair) => [pair.before, pair.after])].every((hash) =>
      HASH.test(hash),
    ) && (await hasFingerprints(queries));
  if (!known) return undefined;
  const [row] =
    after === undefined
      ? await askNow<Answer>(
          queries,
          `, ${compare(linesOf(before), '(SELECT n.lines FROM now AS n)', except)}`,
        )
      : (await queries.query<Answer>(`WITH ${compare(linesOf(before), linesOf(after), except)}`)).rows;
  if (!row?.known) return undefined;
  const { count, changes } = row;
  const left = count - changes.length;
  return { changes, ...(left > 0 && { omitted: { changes: left } }) };
}
