// Retiring as the engine's own operation: the functions that a revision calls, and the record of retired tables and columns.

import { idsOf, type Part } from '../../revisions/part.ts';
import type { Script } from '../../revisions/revision.ts';
import { type Queries, together } from '../../session/client.ts';
import { RETIRED_PREFIX } from '../evidence.ts';
import { closeToOthers } from '../ownership.ts';
import { COLUMN_OF, NEEDS, RESTORE_COLUMN, RETIRE_COLUMN } from './column.ts';
import { COLUMN_DEFINITIONS } from './column-definitions.ts';
import { DEFINITIONS } from './definitions.ts';
import { DEPENDENTS } from './dependents.ts';
import { ADOPT, DROP_COLUMNS, DROP_RETIRED, DROP_SCHEMA, RUN } from './drop.ts';
import { GRANT, POLICY, PUBLICATION } from './parts.ts';
import { MAKE_RECORD } from './record.ts';
import { REFUSE_CHILDREN, REFUSE_STRANGERS } from './refusals.ts';
import { REMAKE, RESTORE_ALL, RESTORE_NAMED, RESTORE_ONE } from './restore.ts';
import { REVISION, TABLES, TREE } from './shared.ts';
import { NAMES, RESTORE_TABLE, RETIRE } from './table.ts';

/** The functions of an upgrade, in an order in which each finds the others that it needs. */
const FORTH = [REVISION, TREE, TABLES, NAMES, RETIRE, NEEDS, RETIRE_COLUMN];

/** The functions of a downgrade and of a finalize, which need the others, too. */
const BACK = [
  COLUMN_OF,
  RESTORE_TABLE,
  RESTORE_COLUMN,
  GRANT,
  POLICY,
  PUBLICATION,
  DEFINITIONS,
  COLUMN_DEFINITIONS,
  DEPENDENTS,
  RUN,
  ADOPT,
  DROP_SCHEMA,
  REFUSE_STRANGERS,
  REFUSE_CHILDREN,
  DROP_COLUMNS,
  REMAKE,
  RESTORE_ONE,
  RESTORE_ALL,
  ...RESTORE_NAMED,
  DROP_RETIRED,
];

/** Their names, each once. */
export const FUNCTION_NAMES: readonly string[] = [
  ...new Set([...FORTH, ...BACK].map((sql) => /backstop\.(\w+)/.exec(sql)?.[1] ?? '')),
];

/** Drops all functions of these names: each can be called only in the transaction that made it. */
export const DROP_FUNCTIONS = `DO LANGUAGE plpgsql $do$
DECLARE
  doomed text;
BEGIN
  SELECT pg_catalog.string_agg(p.oid::regprocedure::text, ', ') INTO doomed FROM pg_catalog.pg_proc AS p
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
  WHERE n.nspname OPERATOR(pg_catalog.=) 'backstop' AND p.proname OPERATOR(pg_catalog.=) ANY (ARRAY[
    ${FUNCTION_NAMES.map((name) => `'${name}'`).join(', ')}]);
  IF doomed IS NOT NULL THEN
    EXECUTE pg_catalog.concat('DROP FUNCTION ', doomed);
  END IF;
END
$do$`;

/** Statements that make the functions of an upgrade. */
const MAKE_FORTH = `${[DROP_FUNCTIONS, ...FORTH].join(';\n')};`;

/** Statements that make all functions. */
export const MAKE_FUNCTIONS = `${[MAKE_FORTH, ...BACK].join(';\n')};`;

/** Whether an upgrade calls more than the two functions that retire. */
function callsOthers({ steps }: Script): boolean {
  return steps.some(({ sql }) => /\bbackstop"?\s*\.\s*"?(?!retire\b|retire_column\b)\w/i.test(sql));
}

/** Retires nothing for the revision $1, if this user may make its schema. */
const MAKE_READY = `
  SELECT backstop.retire(VARIADIC '{}') FROM (SELECT pg_catalog.set_config('backstop.revision', $1, true) OFFSET 0) AS set
  WHERE pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')`;

/** The schemas among $1 that this transaction has made for nothing; as SQL. */
const EMPTY = `
  SELECT pg_catalog.quote_ident(n.nspname) AS name FROM pg_catalog.pg_namespace AS n
  WHERE n.nspname = ANY ($1::text[]) AND pg_catalog.age(n.xmin) <= 0 AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend AS d WHERE d.refclassid = 'pg_catalog.pg_namespace'::regclass AND d.refobjid = n.oid)`;

/**
 * The functions in the transaction of these parts, if one of them calls them. They are made at its beginning and dropped at
 * its end: so no function of an earlier version is ever called, and others can neither call nor replace one.
 */
export class Retiring {
  /** Their names in quotes: their words are Backstop's own. Empty if no part calls them. */
  readonly functions: readonly string[];
  /** Revision → the schema for the tables that it may retire. */
  readonly #schemas: ReadonlyMap<string, string>;
  /** Ids of the revisions that may bring back or drop. */
  readonly #back: readonly string[];

  /** Whether all functions are made: a dry run takes the upgrade back. */
  readonly #isWhole: boolean;

  constructor({ parts, dryRun }: { readonly parts: readonly Part[]; readonly dryRun?: boolean }) {
    const isUsed = parts.some(({ script }) => script.isRetiring);
    this.functions = isUsed ? FUNCTION_NAMES.map((name) => `"backstop"."${name}"`) : [];
    const forth = idsOf(
      parts.filter(({ direction, script }) => direction === 'upgrade' && script.isRetiring),
    );
    this.#schemas = new Map(forth.map((id) => [id, `${RETIRED_PREFIX}${id}`]));
    this.#back = idsOf(parts.filter(({ direction }) => direction !== 'upgrade'));
    this.#isWhole =
      dryRun === true ||
      parts.some(({ direction, script }) => direction !== 'upgrade' || callsOthers(script));
  }

  /**
   * Makes the functions, the record where it is missing, and the schemas for retired tables: once tables are locked, the server
   * need not plan what it has planned before.
   */
  async begin(queries: Queries): Promise<void> {
    if (this.functions.length === 0) return;
    const { rows } = await queries.query("SELECT pg_catalog.to_regclass('backstop.retired') AS oid");
    if (rows[0]?.oid === null) {
      await queries.query(MAKE_RECORD);
      await closeToOthers(queries, { tables: ['backstop.retired'] });
    }
    await queries.query(this.#isWhole ? MAKE_FUNCTIONS : MAKE_FORTH);
    for (const revision of this.#schemas.keys()) await queries.query(MAKE_READY, [revision]);
    await closeToOthers(queries, { schemas: this.schemas });
  }

  /** The schemas that it makes. */
  get schemas(): readonly string[] {
    return [...this.#schemas.values()];
  }

  /** The tables that the parts bring back or drop, or of which they do so with a column; as SQL, by the age of their record. */
  async tables(queries: Queries): Promise<string[]> {
    if (this.functions.length === 0 || this.#back.length === 0) return [];
    const { rows } = await queries.query<{ name: string }>(
      `SELECT pg_catalog.format('%I.%I', 'retired_' || r.revision, m ->> 'kept_as') AS name, r.id
       FROM backstop.retired AS r CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(r.record -> 'members') AS m
       WHERE r.revision = ANY ($1::text[])
       UNION ALL
       SELECT pg_catalog.format('%I.%I', r.schema_name, r.table_name), r.id
       FROM backstop.retired AS r WHERE r.revision = ANY ($1::text[]) AND r.column_name IS NOT NULL
       ORDER BY id`,
      [this.#back],
    );
    return rows.map(({ name }) => name);
  }

  /** Drops the functions, and the schemas that are not needed. */
  async end(queries: Queries): Promise<void> {
    if (this.functions.length === 0) return;
    const [, { rows }] = await together(
      queries.query(DROP_FUNCTIONS),
      queries.query<{ name: string }>(EMPTY, [this.schemas]),
    );
    for (const { name } of rows) await queries.query(`DROP SCHEMA ${name}`);
  }
}
