// The query of the fingerprint: the lines of all kinds, as one text, and its hash.
import type pg from 'pg';
import { type Queries, together } from '../../session/client.ts';
import { forgetPrepared, prepare } from '../../session/prepared-statements.ts';
import { ATTACHED_LINES } from './attached.ts';
import { CODE_LINES } from './code.ts';
import { CONSTRAINT_LINES } from './constraints.ts';
import { GRANT_LINES } from './grants.ts';
import { OTHER_LINES } from './others.ts';
import { type Kind, SCOPE } from './scope.ts';
import { COLUMNS, TABLE_LINES } from './tables.ts';
import { TYPE_LINES } from './types.ts';

const KINDS: readonly Kind[] = [
  ...TABLE_LINES,
  ...CONSTRAINT_LINES,
  ...ATTACHED_LINES,
  ...CODE_LINES,
  ...TYPE_LINES,
  ...GRANT_LINES,
  ...OTHER_LINES,
];

/**
 * - Whether there are objects of each kind: most databases have few kinds, and to plan a query for the others takes time.
 * - How large the catalogue is, as a power of two: a plan is good for as many objects as there were when it was made.
 * - Whether a transaction was open before this statement.
 */
const PRESENT = `
  SELECT ARRAY[${KINDS.map((kind) => (kind.in === undefined ? 'true' : `EXISTS (SELECT FROM ${kind.in})`))}] AS present,
         pg_catalog.round(pg_catalog.log(2, pg_catalog.pg_relation_size('pg_catalog.pg_attribute')::numeric))::int AS size,
         pg_catalog.transaction_timestamp() <> pg_catalog.statement_timestamp() AS "isOpen"`;

interface Present {
  readonly present: readonly boolean[];
  readonly size: number;
  readonly isOpen: boolean;
}

/** `now (lines, hash)`: the lines in the order of their bytes, and their hash. */
const now = (kinds: readonly Kind[]) => `
  WITH ${SCOPE}, ${COLUMNS},
  all_lines (line) AS (${kinds.map(({ lines }) => lines).join('\n  UNION ALL\n')}),
  gathered AS (
    SELECT coalesce(pg_catalog.string_agg(pg_catalog.replace(line, E'\\n', E'\\\\n'), E'\\n' ORDER BY line COLLATE "C"), '') AS lines
    FROM all_lines),
  now AS MATERIALIZED (
    SELECT lines, pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(lines, 'UTF8')), 'hex') AS hash FROM gathered)`;

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

const SET = [
  `SELECT pg_catalog.set_config('backstop.before', (
     SELECT pg_catalog.jsonb_object_agg(name, pg_catalog.current_setting(name))::text
     FROM pg_catalog.unnest(ARRAY[${Object.keys(SETTINGS).map((name) => `'${name}'`)}]) AS name), true)`,
  `SELECT pg_catalog.set_config(key, value, true) FROM pg_catalog.jsonb_each_text('${JSON.stringify(SETTINGS)}')`,
];
const RESET = `
  SELECT pg_catalog.set_config(key, value, true)
  FROM pg_catalog.jsonb_each_text(pg_catalog.current_setting('backstop.before')::jsonb)`;

/** The server has no other code for an object that another session dropped while its text was made. */
const DROPPED = 'XX000';
const TRIES = 5;

/**
 * The rows of a query that follows the common table expression `now (lines, hash)`: all lines of the database, and their hash.
 * It may begin with more such expressions after a comma.
 *
 * The server makes the texts of views, rules and expressions under ACCESS SHARE locks of their tables. In an open transaction
 * they are given back, unless the query writes.
 *
 * @param options.writes in an open transaction: the question is prepared, because it is asked again while tables are locked
 */
export async function askNow<Row extends pg.QueryResultRow>(
  queries: Queries,
  sql: string,
  { writes = false }: { readonly writes?: boolean } = {},
): Promise<Row[]> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await (writes ? askAgain<Row>(queries, sql) : askOnce<Row>(queries, sql));
    } catch (error) {
      const isOver = (error as { code?: unknown }).code === DROPPED || forgetPrepared(queries, error);
      if (!isOver || tries === TRIES) throw error;
    }
  }
}

async function askOnce<Row extends pg.QueryResultRow>(queries: Queries, sql: string): Promise<Row[]> {
  const { rows } = await queries.query<Present>(PRESENT);
  const question = questionOf(rows[0], sql);
  return rows[0]?.isOpen ? within(queries, GO_BACK, () => ask(queries, question)) : ask(queries, question);
}

async function askAgain<Row extends pg.QueryResultRow>(queries: Queries, sql: string): Promise<Row[]> {
  return within(queries, '', async () => {
    const prepared = (statement: string) => prepare(queries, statement);
    const { rows } = await queries.query<Present>(await prepared(PRESENT));
    return ask(queries, `${questionOf(rows[0], sql)} -- ${rows[0]?.size}`, prepared);
  });
}

function questionOf(found: Pick<Present, 'present'> | undefined, sql: string): string {
  return `${now(KINDS.filter((_, index) => found?.present[index]))}${sql}`;
}

const GO_BACK = 'ROLLBACK TO SAVEPOINT backstop_fingerprint;';
const FORGET = 'RELEASE SAVEPOINT backstop_fingerprint';

/** The open transaction goes on after an error. */
async function within<T>(queries: Queries, end: typeof GO_BACK | '', work: () => Promise<T>): Promise<T> {
  try {
    const [, result] = await together(queries.query('SAVEPOINT backstop_fingerprint'), work());
    await queries.query(`${end} ${FORGET}`);
    return result;
  } catch (error) {
    await queries.query(`${GO_BACK} ${FORGET}`).catch(() => {});
    throw error;
  }
}

/** The rows of a query under {@link SETTINGS}. Statements that are sent as one text are a transaction, too. */
async function ask<Row extends pg.QueryResultRow>(
  queries: Queries,
  sql: string,
  written: (sql: string) => string | Promise<string> = (statement) => statement,
): Promise<Row[]> {
  const statements: string[] = [];
  for (const statement of [...SET, sql, RESET]) statements.push(await written(statement));
  const results = (await queries.query(statements.join(';\n'))) as unknown as pg.QueryResult<Row>[];
  return results[SET.length]?.rows ?? [];
}
