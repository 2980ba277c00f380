// The facts of the catalogue that decide about the work under a lock.
import type { Work } from '../grammar/effect.ts';
import type { Queries } from '../session/client.ts';
import type { OldType } from './type-change.ts';

/** Rows of `table` are looked up in `references`; both are oids. */
export interface ForeignKey {
  readonly table: string;
  readonly references: string;
}

/** The answer of the catalogue about one {@link Work}. */
export interface Facts extends OldType {
  /** There is a column or an index already, and nothing is done. */
  readonly exists: boolean;
  readonly isProven: boolean;
  readonly isLogged: boolean;
  readonly isVolatile: boolean;
  readonly newType: string | null;
  readonly newBase: string | null;
  readonly newHasRules: boolean;
  readonly isBinary: boolean;
  readonly isUtc: boolean;
  readonly hasCheck: boolean;
  readonly foreignKeys: readonly ForeignKey[];
  readonly isForeignKey: boolean;
  readonly isValidated: boolean;
}

/** The facts about each work, in their order; each with the oid of its table, and where its names are looked up. */
export async function readFacts(
  queries: Queries,
  work: readonly (Work & { readonly oid: string; readonly schemas: readonly string[] })[],
): Promise<Facts[]> {
  const asked = work.map((one, place) => ({ ...plainNames(one), place }));
  const { rows } = await queries.query<Facts>(FACTS, [JSON.stringify(asked)]);
  return rows;
}

/** Names without their quotes, as the catalogue has them. */
function plainNames(work: Work & { oid: string }): Record<string, unknown> {
  const { column, constraint, index, unless } = work as Record<string, string | undefined>;
  const plain = (name: string | undefined) => name?.slice(1, -1).replaceAll('""', '"');
  return {
    ...work,
    column: plain(column),
    constraint: plain(constraint),
    index: plain(index),
    unless: plain(unless),
  };
}

/** The object of a name, in the schemas of the work if it is written without a schema. On PostgreSQL 14 an empty name is an error. */
function found(lookUp: 'to_regclass' | 'to_regtype', name: string): string {
  return `CASE WHEN ${name} <> '' THEN coalesce(pg_catalog.${lookUp}(${name}), (
    SELECT inside FROM pg_catalog.unnest(CASE WHEN ${name} NOT LIKE '%"."%' THEN schemas END) WITH ORDINALITY AS s(schema, place)
    CROSS JOIN LATERAL pg_catalog.${lookUp}(pg_catalog.quote_ident(schema) || '.' || ${name}) AS inside
    WHERE inside IS NOT NULL ORDER BY place LIMIT 1)) END`;
}

/** $1 is the work as JSON, each with the oid of its table. A row of {@link Facts} for each, in their order. */
const FACTS = `
  SELECT CASE WHEN unless IS NULL THEN false
              WHEN kind = 'index' THEN EXISTS (SELECT FROM pg_catalog.pg_class AS i
                                               WHERE i.relnamespace = c.relnamespace AND i.relname = unless)
              ELSE EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
                           WHERE a.attrelid = c.oid AND a.attname = unless AND NOT a.attisdropped) END AS "exists",
         CASE kind WHEN 'not null' THEN NOT EXISTS (
           SELECT FROM pg_catalog.pg_attribute AS a
           WHERE a.attrelid = c.oid AND a.attnum > 0
             AND CASE WHEN "index" IS NULL THEN a.attname = "column"
                      ELSE a.attnum = ANY ((SELECT x.indkey FROM pg_catalog.pg_index AS x
                             JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
                             WHERE x.indrelid = c.oid AND i.relname = "index")::smallint[]) END
             AND (NOT a.attnotnull OR EXISTS (SELECT FROM pg_catalog.pg_constraint AS n
                   WHERE n.conrelid = c.oid AND n.contype = 'n' AND NOT n.convalidated AND n.conkey = ARRAY[a.attnum]))
             AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS n
                   WHERE n.conrelid = c.oid AND n.contype = 'c' AND n.convalidated AND NOT n.connoinherit
                     AND pg_catalog.strpos(pg_catalog.pg_get_constraintdef(n.oid),
                                           '(' || pg_catalog.quote_ident(a.attname) || ' IS NOT NULL)') > 0
                     AND pg_catalog.strpos(pg_catalog.pg_get_constraintdef(n.oid), ' OR ') = 0
                     AND pg_catalog.strpos(pg_catalog.pg_get_constraintdef(n.oid), 'NOT (') = 0))
         ELSE false END AS "isProven",
         c.relpersistence = 'p' AS "isLogged",
         EXISTS (SELECT FROM pg_catalog.unnest(functions) AS f(name)
                 JOIN pg_catalog.pg_proc AS p ON p.provolatile = 'v'
                  AND p.proname = (pg_catalog.parse_ident(f.name))[pg_catalog.cardinality(pg_catalog.parse_ident(f.name))]
                ) AS "isVolatile",
         old.base, old.modifier, old.rules AS "hasRules",
         new.oid::text AS "newType", new.base AS "newBase", coalesce(new.rules, false) AS "newHasRules",
         EXISTS (SELECT FROM pg_catalog.pg_cast WHERE castsource = old.base::oid AND casttarget = new.base::oid
                   AND castmethod = 'b') AS "isBinary",
         pg_catalog.current_setting('TimeZone') IN ('UTC', 'GMT', 'Etc/UTC', 'Etc/GMT', 'Zulu', 'UCT', 'Universal')
           AS "isUtc",
         EXISTS (SELECT FROM pg_catalog.pg_constraint AS n
                 WHERE n.conrelid = c.oid AND n.contype = 'c' AND old.attnum = ANY (n.conkey)) AS "hasCheck",
         coalesce((SELECT pg_catalog.jsonb_agg(DISTINCT pg_catalog.jsonb_build_object(
                            'table', n.conrelid::text, 'references', n.confrelid::text))
                   FROM pg_catalog.pg_constraint AS n
                   WHERE n.contype = 'f' AND (n.conrelid = c.oid AND (n.conname = "constraint" OR old.attnum = ANY (n.conkey))
                                              OR n.confrelid = c.oid AND old.attnum = ANY (n.confkey))),
                  CASE WHEN other.oid IS NULL THEN '[]' ELSE pg_catalog.jsonb_build_array(
                    pg_catalog.jsonb_build_object('table', c.oid::text, 'references', other.oid::text)) END)
           AS "foreignKeys",
         coalesce(con.contype = 'f', false) AS "isForeignKey", coalesce(con.convalidated, false) AS "isValidated"
  FROM pg_catalog.jsonb_to_recordset($1::jsonb) AS work (place integer, oid oid, kind text, unless text, "column" text,
    "index" text, functions text[], type text, "constraint" text, "references" text, schemas text[])
  JOIN pg_catalog.pg_class AS c ON c.oid = work.oid
  LEFT JOIN pg_catalog.pg_constraint AS con ON con.conrelid = c.oid AND con.conname = "constraint"
  LEFT JOIN pg_catalog.pg_class AS other ON other.oid = ${found('to_regclass', '"references"')}
  LEFT JOIN LATERAL (
    SELECT a.attnum, CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END::text AS base,
           CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE a.atttypmod END AS modifier, hasRules AS rules
    FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
    WHERE a.attrelid = c.oid AND a.attname = "column" AND NOT a.attisdropped) AS old ON kind = 'type'
  LEFT JOIN LATERAL (
    SELECT t.oid, CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END::text AS base, hasRules AS rules
    FROM pg_catalog.pg_type AS t WHERE t.oid = ${found('to_regtype', 'type')}::oid) AS new ON type <> ''
  ORDER BY place`.replaceAll(
  'hasRules AS rules',
  `(t.typnotnull OR EXISTS (SELECT FROM pg_catalog.pg_constraint AS d WHERE d.contypid = t.oid)) AS rules`,
);
