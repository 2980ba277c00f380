// The fingerprint of a database: its catalogue as lines, an object a line, and their hash.
import type pg from 'pg';
import { ENTRIES_KEPT } from '../model/bounded.ts';
import type { Change, Differences } from '../model/differences.ts';
import type { Queries } from '../session/client.ts';
import { ATTACHED_LINES } from './fingerprint/attached.ts';
import { CODE_LINES } from './fingerprint/code.ts';
import { CONSTRAINT_LINES } from './fingerprint/constraints.ts';
import { GRANT_LINES } from './fingerprint/grants.ts';
import { hasFingerprints } from './fingerprint/kept.ts';
import { OTHER_LINES } from './fingerprint/others.ts';
import { SCOPE } from './fingerprint/scope.ts';
import { TABLE_LINES } from './fingerprint/tables.ts';
import { TYPE_LINES } from './fingerprint/types.ts';

export { createFingerprints } from './fingerprint/kept.ts';
export { type Position, readPositions } from './fingerprint/positions.ts';

/** Characters of a definition in a list of changes. */
const LONGEST = 500;

const KINDS = [
  ...TABLE_LINES,
  ...CONSTRAINT_LINES,
  ...ATTACHED_LINES,
  ...CODE_LINES,
  ...TYPE_LINES,
  ...GRANT_LINES,
  ...OTHER_LINES,
];

/** `now (lines, hash)`: all lines as one text, and its hash. */
const NOW = `
  WITH ${SCOPE},
  all_lines (line) AS (${KINDS.join('\n  UNION ALL\n')}),
  gathered AS (
    SELECT coalesce(pg_catalog.string_agg(pg_catalog.replace(line, E'\\n', '\\n'), E'\\n' ORDER BY line COLLATE "C"), '') AS lines
    FROM all_lines),
  now AS MATERIALIZED (
    SELECT lines, pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(lines, 'UTF8')), 'hex') AS hash FROM gathered)`;

/** The hash of the catalogue as the open transaction sees it, or a statement alone: 64 hexadecimal digits. */
export async function readFingerprint(queries: Queries): Promise<string> {
  const [row] = await ask<{ hash: string }>(queries, `${NOW} SELECT hash FROM now`);
  return (row as { hash: string }).hash;
}

/** The lines, in the order of their bytes. */
export async function readLines(queries: Queries): Promise<string[]> {
  const [row] = await ask<{ lines: string }>(queries, `${NOW} SELECT lines FROM now`);
  return row?.lines ? row.lines.split('\n') : [];
}

/** The same in the open transaction, which keeps the lines for {@link readDifferences}; the table must be there. */
export async function keepFingerprint(queries: Queries): Promise<string> {
  const [row] = await ask<{ hash: string }>(
    queries,
    `${NOW}, kept AS (
       INSERT INTO backstop.fingerprints (hash, lines)
       SELECT n.hash, n.lines FROM now AS n WHERE NOT EXISTS (SELECT FROM backstop.fingerprints AS f WHERE f.hash = n.hash)
       ON CONFLICT DO NOTHING)
     SELECT hash FROM now`,
  );
  return (row as { hash: string }).hash;
}

const HASH = /^[0-9a-f]{64}$/;

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
  if (![before, after ?? before].every((hash) => HASH.test(hash)) || !(await hasFingerprints(queries)))
    return undefined;
  const kept = (hash: string) => `(SELECT f.lines FROM backstop.fingerprints AS f WHERE f.hash = '${hash}')`;
  const begin = after === undefined ? `${NOW},` : 'WITH';
  const then = after === undefined ? '(SELECT lines FROM now)' : kept(after);
  const [row] = await ask<{ known: boolean; count: number; changes: Change[] }>(
    queries,
    `${begin} texts (before, after) AS MATERIALIZED (SELECT ${kept(before)}, ${then}),
     old (line) AS MATERIALIZED (SELECT s FROM texts CROSS JOIN LATERAL pg_catalog.string_to_table(before, E'\\n') AS s),
     new (line) AS MATERIALIZED (SELECT s FROM texts CROSS JOIN LATERAL pg_catalog.string_to_table(after, E'\\n') AS s),
     gone AS (SELECT pg_catalog.split_part(line, E'\\t', 1) AS object, pg_catalog.substring(line, E'\\t(.*)') AS definition
              FROM (SELECT line FROM old EXCEPT SELECT line FROM new) AS x),
     come AS (SELECT pg_catalog.split_part(line, E'\\t', 1) AS object, pg_catalog.substring(line, E'\\t(.*)') AS definition
              FROM (SELECT line FROM new EXCEPT SELECT line FROM old) AS x),
     changes AS MATERIALIZED (
       SELECT object, gone.definition AS before, come.definition AS after,
              pg_catalog.row_number() OVER (ORDER BY object COLLATE "C") AS place, pg_catalog.count(*) OVER () AS count
       FROM gone FULL JOIN come USING (object))
     SELECT (SELECT before IS NOT NULL AND after IS NOT NULL FROM texts) AS known,
            pg_catalog.count(*)::int AS count,
            coalesce(pg_catalog.json_agg(pg_catalog.json_strip_nulls(pg_catalog.json_build_object(
              'object', object,
              'change', CASE WHEN before IS NULL THEN 'added' WHEN after IS NULL THEN 'removed' ELSE 'changed' END,
              'before', pg_catalog.left(before, ${LONGEST}), 'after', pg_catalog.left(after, ${LONGEST}))) ORDER BY place)
              FILTER (WHERE place <= ${ENTRIES_KEPT / 2} OR place > count - ${ENTRIES_KEPT / 2}), '[]') AS changes
     FROM changes`,
  );
  if (row === undefined || !row.known) return undefined;
  const left = row.count - row.changes.length;
  return { changes: row.changes, ...(left > 0 && { omitted: { changes: left } }) };
}

/** Settings on which the text of an object depends, and those with which the question is quick. */
const SETTINGS = {
  search_path: 'pg_catalog, pg_temp',
  quote_all_identifiers: 'off',
  standard_conforming_strings: 'on',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  extra_float_digits: '1',
  bytea_output: 'hex',
  xmlbinary: 'base64',
  lc_monetary: 'C',
  jit: 'off',
  work_mem: '64MB',
} as const;

/** Statements that are sent as one text are a transaction, too. */
const SET = `
  SELECT pg_catalog.set_config('backstop.before', (
    SELECT pg_catalog.jsonb_object_agg(name, pg_catalog.current_setting(name))::text
    FROM pg_catalog.unnest(ARRAY[${Object.keys(SETTINGS).map((name) => `'${name}'`)}]) AS name), true);
  SELECT pg_catalog.set_config(key, value, true) FROM pg_catalog.jsonb_each_text('${JSON.stringify(SETTINGS)}');`;

const RESET = `
  SELECT pg_catalog.set_config(key, value, true)
  FROM pg_catalog.jsonb_each_text(pg_catalog.current_setting('backstop.before')::jsonb);`;

async function ask<Row extends pg.QueryResultRow>(queries: Queries, sql: string): Promise<Row[]> {
  const results = (await queries.query(`${SET}${sql};${RESET}`)) as unknown as pg.QueryResult<Row>[];
  return results[2]?.rows ?? [];
}
