// Traps: for every function and operator that SQL uses, overloads in public whose argument types fit better than
// PostgreSQL's own. Each springs if it is called, even in a transaction that is rolled back.
import { parse } from 'libpg-query';
import type { TestDatabase } from '../setup/database.ts';

/** Types that stand in for each other: a call with the first may find an overload for another a better fit. */
const FAMILIES: readonly (readonly string[])[] = [
  ['text', 'name', 'varchar', 'bpchar', '"char"', 'unknown'],
  ['int4', 'int8', 'int2', 'oid', 'regclass', 'numeric', 'float8'],
  ['text[]', 'name[]', 'int2[]', 'oid[]', '"char"[]', 'int4[]', 'varchar[]'],
  ['jsonb', 'json'],
  ['bool'],
  ['timestamptz', 'timestamp', 'interval', 'date'],
];
/** Types that a polymorphic argument may have. */
const ANY = ['text', 'name', 'varchar', 'int4', 'int8', 'oid', 'regclass', 'bool', 'jsonb', 'record'];
const ANY_ARRAY = FAMILIES[2] as readonly string[];
const POLYMORPHIC: Readonly<Record<string, readonly string[]>> = {
  '"any"': ANY,
  anyelement: ANY,
  anynonarray: ANY,
  anycompatible: ANY,
  anyarray: ANY_ARRAY,
  anycompatiblearray: ANY_ARRAY,
};
/** For one function; more only repeat the same. */
const OVERLOADS = 40;

function variants(type: string): readonly string[] {
  const polymorphic = POLYMORPHIC[type];
  if (polymorphic) return polymorphic;
  const family = FAMILIES.find((types) => types.includes(type));
  return (family ?? [type]).filter((one) => one !== 'unknown');
}

/** All combinations of the variants, up to a number. */
function combinations(types: readonly string[]): string[][] {
  let found: string[][] = [[]];
  for (const type of types) {
    found = found
      .flatMap((start) => variants(type).map((variant) => [...start, variant]))
      .slice(0, 4 * OVERLOADS);
  }
  // Spread over the combinations, so that each argument varies.
  const step = Math.max(1, Math.floor(found.length / OVERLOADS));
  return found.filter((_, index) => index % step === 0);
}

/** The words and operators of SQL, bodies of DO statements included, as the grammar sees them. */
export async function wordsIn(sql: string): Promise<Set<string>> {
  const words = new Set<string>();
  const waiting: unknown[] = [await parse(sql)];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next === 'string')
      for (const word of next.match(/[a-z_]\w*|[-+*/<>=~!@#%^&|`?]+/gi) ?? []) words.add(word);
    else if (typeof next === 'object' && next !== null) waiting.push(...Object.values(next));
  }
  return words;
}

interface Signature {
  readonly name: string;
  readonly types: readonly string[];
  readonly variadic: boolean;
}

/**
 * Sets the traps as a role that may only create in public.
 *
 * @param words as {@link wordsIn} finds them
 * @returns how many functions and operators were planted
 */
export async function setTraps(
  database: TestDatabase,
  stranger: string,
  words: ReadonlySet<string>,
): Promise<{ functions: number; operators: number }> {
  const signatures = (await database.asAdministrator(
    `SELECT DISTINCT proname AS name, provariadic <> 0 AS variadic, ARRAY(
       SELECT pg_catalog.format_type(t, NULL) FROM unnest(proargtypes) AS t)::text[] AS types
     FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND pronargs BETWEEN 1 AND 4
       AND NOT EXISTS (SELECT FROM unnest(proargtypes) AS t WHERE t::regtype::text IN ('internal', 'cstring', 'trigger'))
     ORDER BY 1, 3`,
  )) as unknown as Signature[];
  const functions = new Set<string>();
  for (const { name, types, variadic } of signatures.filter((one) => words.has(one.name))) {
    const short = types.map(alias);
    const lists = variadic ? [short, [...short, '"any"'], [...short, '"any"', '"any"']] : [short];
    for (const list of lists) {
      for (const one of combinations(list)) functions.add(`"${name}"(${one.join(', ')})`);
    }
  }
  const operators = [...words].filter((word) => /^[-+*/<>=~!@#%^&|`?]+$/.test(word));
  await database.asAdministrator(`
    CREATE SEQUENCE public.sprung; GRANT ALL ON SEQUENCE public.sprung TO PUBLIC;
    GRANT CREATE ON SCHEMA public TO ${stranger};
    SET ROLE ${stranger}; SET check_function_bodies = off; SET search_path = pg_catalog;
    DO $plant$
    DECLARE
      signature text;
      planted CONSTANT text := $body$ BEGIN
        PERFORM pg_catalog.nextval('public.sprung'::pg_catalog.regclass);
        RAISE EXCEPTION 'a stranger ran as %', current_user;
      END $body$;
      op text; l text; r text;
      types CONSTANT text[] := '{text,name,varchar,"\\"char\\"",oid,int4,int8,int2,regclass,bool,jsonb,text[],name[],int2[],oid[],unknown}';
    BEGIN
      FOREACH signature IN ARRAY $list$${arrayOf([...functions])}$list$::text[] LOOP
        BEGIN
          EXECUTE format('CREATE FUNCTION public.%s RETURNS text LANGUAGE plpgsql AS %L', signature, planted);
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
      END LOOP;
      FOREACH op IN ARRAY $list$${arrayOf(operators)}$list$::text[] LOOP
        CONTINUE WHEN NOT EXISTS (SELECT FROM pg_operator WHERE oprname = op AND oprnamespace = 'pg_catalog'::regnamespace);
        FOREACH l IN ARRAY types LOOP FOREACH r IN ARRAY types LOOP
          BEGIN
            EXECUTE format('CREATE OR REPLACE FUNCTION public.trap_%s(%s, %s) RETURNS bool LANGUAGE plpgsql AS %L',
              md5(l || r), l, r, planted);
            EXECUTE format('CREATE OPERATOR public.%s (FUNCTION = public.trap_%s, LEFTARG = %s, RIGHTARG = %s)', op, md5(l || r), l, r);
          EXCEPTION WHEN OTHERS THEN NULL;
          END;
        END LOOP; END LOOP;
      END LOOP;
      FOREACH l IN ARRAY types LOOP
        BEGIN
          EXECUTE format('CREATE DOMAIN public.%I AS pg_catalog.text CHECK (public.trap_%s(VALUE, VALUE))', l, md5('texttext'));
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
      END LOOP;
    END $plant$;
    RESET ROLE;`);
  const [found] = await database.asAdministrator(`SET search_path = pg_catalog; SELECT
    (SELECT count(*)::int FROM pg_proc WHERE proowner = '${stranger}'::regrole) AS functions,
    (SELECT count(*)::int FROM pg_operator WHERE oprowner = '${stranger}'::regrole) AS operators`);
  return found as { functions: number; operators: number };
}

/** Whether a trap has sprung since they were set. */
export async function hasSprung(database: TestDatabase): Promise<boolean> {
  const [row] = await database.asAdministrator('SELECT is_called FROM public.sprung');
  return row?.is_called === true;
}

/** The short names, by which the families go. */
function alias(type: string): string {
  const names: Record<string, string> = {
    integer: 'int4',
    bigint: 'int8',
    smallint: 'int2',
    boolean: 'bool',
    'character varying': 'varchar',
    character: 'bpchar',
    'timestamp with time zone': 'timestamptz',
    'timestamp without time zone': 'timestamp',
    'double precision': 'float8',
  };
  return names[type] ?? type;
}

function arrayOf(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`).join(',')}}`;
}
