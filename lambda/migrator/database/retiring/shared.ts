// The common parts of all functions of retiring, as SQL: the revision that runs, a table by its name, the tables below it.

/**
 * Between CREATE FUNCTION and the body. No name in a function depends on the session's search path. Each query is planned
 * once: tables are locked meanwhile.
 */
export const PLPGSQL =
  'LANGUAGE plpgsql SECURITY INVOKER SET search_path TO pg_catalog, pg_temp SET plan_cache_mode TO force_generic_plan';

/** A query as the body: a function in SQL would be planned at each call. */
export function asQuery(sql: string): string {
  return `${PLPGSQL} AS $fn$
#variable_conflict use_column
BEGIN
  RETURN QUERY ${sql.trim()};
END $fn$`;
}

/** Refuses to work without the id of the revision, which a run sets before the first step of each file. */
export const REVISION = `CREATE FUNCTION backstop.retiring_revision() RETURNS text ${PLPGSQL} AS $fn$
DECLARE
  revision CONSTANT text := pg_catalog.current_setting('backstop.revision', true);
BEGIN
  IF coalesce(revision, '') = '' THEN
    RAISE EXCEPTION USING
      ERRCODE = 'object_not_in_prerequisite_state',
      MESSAGE = 'The functions of schema backstop work only in a run, which says which revision it is',
      HINT = 'Run: npx backstop upgrade; or print the script of the run: npx backstop upgrade --sql';
  END IF;
  IF pg_catalog.octet_length(revision) > 55 THEN
    RAISE EXCEPTION USING
      ERRCODE = 'name_too_long',
      MESSAGE = pg_catalog.format('The schema "retired_%s" has a longer name than PostgreSQL allows', revision),
      HINT = 'Give the revision an id of at most 55 bytes.';
  END IF;
  RETURN revision;
END $fn$`;

/** The tables of trees: partitions and inheritance children, the nearest ones to each root first. */
export const TREE = `CREATE FUNCTION backstop.retiring_tree(VARIADIC roots oid[]) RETURNS TABLE (of_root oid, oid oid, place bigint) ${asQuery(`
  WITH RECURSIVE tree (root, oid, depth) AS (
    SELECT r.oid, r.oid, 0 FROM pg_catalog.unnest($1) AS r (oid)
    UNION
    SELECT tree.root, i.inhrelid, tree.depth + 1 FROM tree JOIN pg_catalog.pg_inherits AS i ON i.inhparent = tree.oid)
  SELECT tree.root, tree.oid,
         pg_catalog.row_number() OVER (PARTITION BY tree.root ORDER BY pg_catalog.max(tree.depth), n.nspname, c.relname)
  FROM tree JOIN pg_catalog.pg_class AS c ON c.oid = tree.oid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  GROUP BY tree.root, tree.oid, n.nspname, c.relname`)}`;

/**
 * The tables of these names, in their order, each of which the user must own with all tables below it; anything else is
 * refused. All are looked up at once, because tables are locked meanwhile.
 */
export const TABLES = `CREATE FUNCTION backstop.retiring_tables(VARIADIC targets text[]) RETURNS oid[] ${PLPGSQL} AS $fn$
DECLARE
  revision_id CONSTANT text := backstop.retiring_revision();
  target text;
  parts text[];
  schemas text[] := '{}';
  names text[] := '{}';
  oids oid[];
  refusal record;
BEGIN
  FOREACH target IN ARRAY coalesce(targets, '{}') LOOP
    BEGIN
      parts := pg_catalog.parse_ident(target);
    EXCEPTION WHEN invalid_parameter_value THEN
      parts := NULL;
    END;
    IF pg_catalog.cardinality(parts) IS DISTINCT FROM 2 THEN
      RAISE EXCEPTION USING
        ERRCODE = 'invalid_name',
        MESSAGE = pg_catalog.format('"%s" is not the name of a table with its schema', target),
        HINT = 'Write it as in SQL, such as ''public.tasks'' or ''public."Order Items"''.';
    END IF;
    schemas := schemas || parts[1];
    names := names || parts[2];
  END LOOP;
  oids := ARRAY(
    SELECT (SELECT c.oid FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
            WHERE (n.nspname = w.schema OR w.schema = 'pg_temp' AND n.oid = pg_catalog.pg_my_temp_schema()) AND c.relname = w.name)
    FROM ROWS FROM (pg_catalog.unnest(schemas), pg_catalog.unnest(names)) WITH ORDINALITY AS w (schema, name, place) ORDER BY w.place);
  WITH seen AS MATERIALIZED (
    SELECT w.place, w.oid, w.schema, w.name AS relname, pg_catalog.format('%I.%I', w.schema, w.name) AS name, n.nspname, c.relkind, c.relpersistence
    FROM ROWS FROM (pg_catalog.unnest(oids), pg_catalog.unnest(schemas), pg_catalog.unnest(names)) WITH ORDINALITY AS w (oid, schema, name, place)
    LEFT JOIN pg_catalog.pg_class AS c ON c.oid = w.oid LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace),
  members AS MATERIALIZED (
    SELECT s.place, t.oid, c.relowner
    FROM backstop.retiring_tree(VARIADIC (SELECT pg_catalog.array_agg(DISTINCT f) FROM pg_catalog.unnest(oids) AS f)) AS t
    JOIN seen AS s ON s.oid = t.of_root JOIN pg_catalog.pg_class AS c ON c.oid = t.oid)
  SELECT r.code, r.message, r.hint INTO refusal FROM (
    SELECT s.place, 1, 'object_not_in_prerequisite_state', pg_catalog.format('Revision %s has retired %s already', revision_id, s.name),
           'Take one of the two calls out.'
    FROM seen AS s
    WHERE s.oid IS NULL AND EXISTS (
      SELECT FROM backstop.retired AS r
      WHERE r.revision = revision_id AND r.schema_name = s.schema AND r.table_name = s.relname AND r.column_name IS NULL)
    UNION ALL
    SELECT s.place, 2, 'undefined_table', 'There is no table ' || s.name,
           'Correct the name. If the table may be missing: DO $$ BEGIN IF to_regclass(''public.tasks'') IS NOT NULL THEN PERFORM backstop.retire(''public.tasks''); END IF; END $$;'
    FROM seen AS s WHERE s.oid IS NULL
    UNION ALL
    SELECT s.place, 3, 'wrong_object_type', s.name || ' is a temporary table, which goes by itself', 'Take the call out.'
    FROM seen AS s WHERE s.relpersistence = 't'
    UNION ALL
    SELECT s.place, 4, 'wrong_object_type', s.name || ' is a table of the server or of Backstop', 'Take the call out.'
    FROM seen AS s WHERE s.nspname IN ('information_schema', 'backstop') OR s.nspname ~ '^pg_'
    UNION ALL
    SELECT s.place, 5, 'object_not_in_prerequisite_state', s.name || ' is retired already', 'Take the call out.'
    FROM seen AS s WHERE pg_catalog.starts_with(s.nspname, 'retired_')
    UNION ALL
    SELECT s.place, 6, 'wrong_object_type', pg_catalog.format('%s is %s, and only tables can be retired', s.name, kind), remedy
    FROM seen AS s JOIN (VALUES
      ('v', 'a view', 'Drop it in upgrade.sql, and make it again in downgrade.sql: it holds no rows.'),
      ('m', 'a materialized view', 'Drop it in upgrade.sql, and make it again in downgrade.sql: its rows come from tables.'),
      ('f', 'a foreign table', 'Drop it in upgrade.sql, and make it again in downgrade.sql: its rows are on another server.'),
      ('S', 'a sequence', 'Retire the table whose column owns it, or move it to another schema: ALTER SEQUENCE … SET SCHEMA …;'),
      ('i', 'an index', 'Drop it in upgrade.sql, and make it again in downgrade.sql.'),
      ('I', 'an index', 'Drop it in upgrade.sql, and make it again in downgrade.sql.'),
      ('c', 'a type', 'Drop it in upgrade.sql, and make it again in downgrade.sql.')) AS kinds (relkind, kind, remedy)
      ON s.relkind::text = kinds.relkind
    UNION ALL
    SELECT m.place, 7, 'wrong_object_type', pg_catalog.format('%s belongs to the extension %I', m.oid::regclass, e.extname),
           pg_catalog.format('Drop the extension, or take the table out of it: ALTER EXTENSION %I DROP TABLE %s;', e.extname, m.oid::regclass)
    FROM members AS m
    JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = m.oid AND d.deptype = 'e'
    JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
    UNION ALL
    SELECT m.place, 8, 'insufficient_privilege', pg_catalog.format('%s belongs to %I', m.oid::regclass, pg_catalog.pg_get_userbyid(m.relowner)),
           pg_catalog.format('Make this user a member of its owner: GRANT %I TO %I;', pg_catalog.pg_get_userbyid(m.relowner), current_user)
    FROM members AS m WHERE NOT pg_catalog.pg_has_role(m.relowner, 'USAGE')
    UNION ALL
    SELECT pg_catalog.max(m.place), 9, 'object_not_in_prerequisite_state',
           pg_catalog.format('%s is retired twice in one call', m.oid::regclass),
           'Name each table once, and of a table and those below it only the uppermost.'
    FROM members AS m GROUP BY m.oid HAVING pg_catalog.count(*) > 1
  ) AS r (place, rank, code, message, hint) ORDER BY r.place, r.rank LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = refusal.code, MESSAGE = refusal.message, HINT = refusal.hint;
  END IF;
  RETURN oids;
END $fn$`;
