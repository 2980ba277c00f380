// The values of a violating row that are printed and kept: never those of a table of users, unless the check counts them.
import type { FieldDef, QueryResult } from 'pg';
import pg from 'pg';
import type { Reads } from '../grammar/reads.ts';
import { NOT_SHOWN } from '../model/report.ts';
import type { Check, Gather } from '../revisions/check.ts';
import { type Pieces, textOf } from '../revisions/origin.ts';
import { pathValue } from '../revisions/search-path.ts';
import type { Queries } from '../session/client.ts';

/** The columns in which a check speaks for itself. */
export const WORDS: readonly string[] = ['error', 'message', 'detail', 'hint'];

/** Schemas whose tables hold no rows of users. */
const SYSTEM: readonly string[] = ['pg_catalog', 'information_schema', 'backstop'];
/** Relations of the catalogue that hold values of rows, statements or secrets. */
const CONFIDENTIAL =
  /^(?:pg_stats(?:_ext|_ext_exprs)?|pg_statistic|pg_statistic_ext_data|pg_stat_activity|pg_prepared_statements|pg_cursors|pg_largeobject|pg_authid|pg_shadow|pg_user_mappings?|pg_subscription|pg_foreign_server|pg_file_settings|pg_hba_file_rules)$/;
/** Functions of PostgreSQL and its extensions that read what a text or a number names. */
const READERS =
  /^"(?:\w+_to_xml\w*|ts_stat|lo_get|loread|pg_read_file|pg_read_binary_file|pg_stat_get_activity|dblink\w*)"$/;
/** oids of bool, int8, int2, int4, oid, float4, float8, numeric. */
const COUNTS: readonly number[] = [16, 20, 21, 23, 26, 700, 701, 1700];
/** oids of json and jsonb. */
const DOCUMENTS: readonly number[] = [114, 3802];

const OWN_PATH = 'SET LOCAL search_path TO pg_catalog, pg_temp';

/** Where a value comes from. */
type Origin = 'system' | 'user' | { readonly computedFrom: Reads | undefined };

interface Relation {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
}

type CheckResult = QueryResult<Record<string, unknown>>;

/** The rows with the values that may be shown. */
export async function shownRows(
  queries: Queries,
  check: Pick<Check, 'sql' | 'reads' | 'gathers' | 'searchPath'>,
  { rows, fields }: Pick<CheckResult, 'rows' | 'fields'>,
): Promise<Record<string, unknown>[]> {
  if (rows.length === 0) return [];
  // From here on the questions are ours.
  await queries.query(OWN_PATH);
  const origins = new Origins(queries, check);
  const sql = [check.sql, ...(check.gathers ?? []).map(({ query }) => query.sql)].join('\n');
  const shown = new Map<string, (value: unknown) => boolean>();
  // If two columns have one name, the driver keeps the last value.
  for (const field of fields) {
    if (!WORDS.includes(field.name)) shown.set(field.name, await origins.ruleOf(field, check.reads, sql));
  }
  const show = ([column, value]: [string, unknown]) =>
    value === null || shown.get(column)?.(value) !== false ? [column, value] : [column, NOT_SHOWN];
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(show)));
}

/** Asks the server where values come from. */
class Origins {
  readonly #queries: Queries;
  readonly #gathers: readonly Gather[];
  readonly #searchPath: readonly string[];

  constructor(queries: Queries, { gathers = [], searchPath = [] }: Pick<Check, 'gathers' | 'searchPath'>) {
    this.#queries = queries;
    this.#gathers = gathers;
    this.#searchPath = searchPath;
  }

  /** Whether a value of the column is shown. */
  async ruleOf(field: FieldDef, reads: Reads | undefined, sql: string): Promise<(value: unknown) => boolean> {
    const origin = await this.#originOf(field, reads);
    if (origin === 'system') return () => true;
    if (origin === 'user') return () => false;
    if (COUNTS.includes(field.dataTypeID)) return () => true;
    if (!(await this.#readsUsers(origin.computedFrom))) return () => true;
    // A literal of the check is no value of a row.
    return (value) => typeof value === 'string' && sql.includes(pg.escapeLiteral(value).trimStart());
  }

  async #originOf({ tableID, columnID, dataTypeID }: FieldDef, reads: Reads | undefined): Promise<Origin> {
    if (tableID === 0) return { computedFrom: reads };
    const [table] = await this.#relations('c.oid = $1::oid', String(tableID));
    const gather = table?.schema.startsWith('pg_temp') && this.#gatherOf(table.name);
    if (gather) {
      const fields = await this.#describe(gather);
      const field = fields[columnID - 1];
      return field ? this.#originOf(field, gather.reads) : 'user';
    }
    const isKept = table?.schema === 'backstop' && DOCUMENTS.includes(dataTypeID);
    return table && isSystem(table) && !isKept ? 'system' : 'user';
  }

  /** The columns of a temporary table, without its rows: the server says where they come from. */
  async #describe({ query }: Gather): Promise<readonly FieldDef[]> {
    const pieces: Pieces = ['SELECT * FROM (\n', query, '\n) AS gathered LIMIT 0'];
    await this.#queries.query(`SET LOCAL search_path TO ${pathValue(this.#searchPath) || "''"}`);
    const { fields } = await this.#queries.query(textOf(pieces));
    await this.#queries.query(OWN_PATH);
    return fields;
  }

  #gatherOf(name: string): Gather | undefined {
    return this.#gathers.find(({ table }) => table === name);
  }

  /** Whether a query reads a table of users, itself or by a function. */
  async #readsUsers(reads: Reads | undefined): Promise<boolean> {
    if (reads === undefined || reads.functions.some((name) => READERS.test(lastPart(name)))) return true;
    for (const name of reads.relations) if (await this.#isUsers(name)) return true;
    return reads.functions.length > 0 && (await this.#haveOthersWritten(reads.functions));
  }

  async #isUsers(name: string): Promise<boolean> {
    const table = await this.#find(name);
    const gather = this.#gathers.find((one) => pg.escapeIdentifier(one.table) === name);
    const isGathered = gather && (table === undefined || table.schema.startsWith('pg_temp'));
    if (isGathered) return this.#readsUsers(gather.reads);
    // Without a relation of that name, it is the name of a query.
    return table !== undefined && !isSystem(table);
  }

  /** The relation that the check means by a name. */
  async #find(name: string): Promise<Relation | undefined> {
    const schemas = ['pg_temp', 'pg_catalog', ...this.#searchPath].map((schema) =>
      pg.escapeIdentifier(schema),
    );
    const names = name.includes('"."') ? [name] : schemas.map((schema) => `${schema}.${name}`);
    for (const one of names) {
      const [table] = await this.#relations('c.oid = pg_catalog.to_regclass($1)', one);
      if (table) return table;
    }
    return undefined;
  }

  /** Whether there is a function of one of these names that is neither PostgreSQL's own nor written in C. */
  async #haveOthersWritten(names: readonly string[]): Promise<boolean> {
    const { rows } = await this.#queries.query(
      `SELECT FROM pg_catalog.pg_proc AS p
       JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
       JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
       WHERE p.proname = ANY ($1::text[]) AND n.nspname NOT IN ('pg_catalog', 'information_schema')
         AND l.lanname NOT IN ('internal', 'c')
       LIMIT 1`,
      [names.map((name) => lastPart(name).slice(1, -1).replaceAll('""', '"'))],
    );
    return rows.length > 0;
  }

  async #relations(condition: string, value: string): Promise<Relation[]> {
    const { rows } = await this.#queries.query<Relation>(
      `SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name
       FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
       WHERE ${condition}`,
      [value],
    );
    return rows;
  }
}

function isSystem({ schema, name }: Relation): boolean {
  return SYSTEM.includes(schema) && !CONFIDENTIAL.test(name);
}

/** The name without its schema, in its quotes. */
function lastPart(name: string): string {
  return /"(?:[^"]|"")*"$/.exec(name)?.[0] ?? name;
}
