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

/** The lines of one side that the other side does not have. */
const only = (one: string, other: string) => `
  SELECT pg_catalog.split_part(line, E'\\t', 1) AS object, pg_catalog.substring(line, E'\\t(.*)') AS definition
  FROM (SELECT line FROM ${one} EXCEPT SELECT line FROM ${other}) AS lines`;

/** The arguments are texts of lines, as SQL. */
const compare = (before: string, after: string) => `
  texts (before, after) AS MATERIALIZED (SELECT ${before}, ${after}),
  old (line) AS MATERIALIZED (SELECT l FROM texts CROSS JOIN LATERAL pg_catalog.string_to_table(before, E'\\n') AS l),
  new (line) AS MATERIALIZED (SELECT l FROM texts CROSS JOIN LATERAL pg_catalog.string_to_table(after, E'\\n') AS l),
  changes AS (
    SELECT object, gone.definition AS before, come.definition AS after,
           pg_catalog.row_number() OVER (ORDER BY object COLLATE "C") AS place, pg_catalog.count(*) OVER () AS count
    FROM (${only('old', 'new')}) AS gone FULL JOIN (${only('new', 'old')}) AS come USING (object))
  SELECT (SELECT before IS NOT NULL AND after IS NOT NULL FROM texts) AS known, pg_catalog.count(*)::int AS count,
         coalesce(pg_catalog.json_agg(pg_catalog.json_strip_nulls(pg_catalog.json_build_object(
           'object', object,
           'change', CASE WHEN before IS NULL THEN 'added' WHEN after IS NULL THEN 'removed' ELSE 'changed' END,
           'before', pg_catalog.left(before, ${LONGEST}), 'after', pg_catalog.left(after, ${LONGEST}))) ORDER BY place)
           FILTER (WHERE place <= ${ENTRIES_KEPT / 2} OR place > count - ${ENTRIES_KEPT / 2}), '[]') AS changes
  FROM changes`;

interface Compared {
  readonly known: boolean;
  readonly count: number;
  readonly changes: readonly Change[];
}

/**
 * The changes from the kept fingerprint `before` to the kept fingerprint `after`, or to the database now. A long list has its
 * first and last changes.
 *
 * @returns undefined if the lines of one of them are not kept
 */
export async function readDifferences(
  queries: Queries,
  before: string,
  after?: string,
): Promise<Differences | undefined> {
  const known =
    [before, after ?? before].every((hash) => HASH.test(hash)) && (await hasFingerprints(queries));
  if (!known) return undefined;
  const [row] =
    after === undefined
      ? await askNow<Compared>(queries, `, ${compare(linesOf(before), '(SELECT n.lines FROM now AS n)')}`)
      : (await queries.query<Compared>(`WITH ${compare(linesOf(before), linesOf(after))}`)).rows;
  if (!row?.known) return undefined;
  const { count, changes } = row;
  const left = count - changes.length;
  return { changes, ...(left > 0 && { omitted: { changes: left } }) };
}
