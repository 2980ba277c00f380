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

/** The tables of a tree: partitions and inheritance children, the nearest ones first. */
export const TREE = `CREATE FUNCTION backstop.retiring_tree(root oid) RETURNS TABLE (oid oid, place bigint) ${asQuery(`
  WITH RECURSIVE tree (oid, depth) AS (
    SELECT $1, 0
    UNION
    SELECT i.inhrelid, tree.depth + 1 FROM tree JOIN pg_catalog.pg_inherits AS i ON i.inhparent = tree.oid)
  SELECT tree.oid, pg_catalog.row_number() OVER (ORDER BY pg_catalog.max(tree.depth), n.nspname, c.relname)
  FROM tree JOIN pg_catalog.pg_class AS c ON c.oid = tree.oid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  GROUP BY tree.oid, n.nspname, c.relname`)}`;

/** The table of that name, which the user must own with all tables below it; anything else is refused. */
export const TABLE = `CREATE FUNCTION backstop.retiring_table(target text) RETURNS oid ${PLPGSQL} AS $fn$
DECLARE
  revision_id CONSTANT text := backstop.retiring_revision();
  parts text[];
  seen record;
  refusal record;
BEGIN
  BEGIN
    parts := pg_catalog.parse_ident(target);
  EXCEPTION WHEN invalid_parameter_value THEN
    NULL;
  END;
  IF pg_catalog.cardinality(parts) IS DISTINCT FROM 2 THEN
    RAISE EXCEPTION USING
      ERRCODE = 'invalid_name',
      MESSAGE = pg_catalog.format('"%s" is not the name of a table with its schema', target),
      HINT = 'Write it as in SQL, such as ''public.tasks'' or ''public."Order Items"''.';
  END IF;
  SELECT c.oid, n.nspname, c.relkind, c.relpersistence, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
  INTO seen
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE (n.nspname = parts[1] OR parts[1] = 'pg_temp' AND n.oid = pg_catalog.pg_my_temp_schema()) AND c.relname = parts[2];
  SELECT * INTO refusal FROM (
    SELECT 'object_not_in_prerequisite_state', pg_catalog.format('Revision %s has retired %I.%I already', revision_id, parts[1], parts[2]),
           'Take one of the two calls out.'
    WHERE seen.oid IS NULL AND EXISTS (
      SELECT FROM backstop.retired AS r
      WHERE r.revision = revision_id AND r.schema_name = parts[1] AND r.table_name = parts[2] AND r.column_name IS NULL)
    UNION ALL
    SELECT 'undefined_table', pg_catalog.format('There is no table %I.%I', parts[1], parts[2]),
           'Correct the name. If the table may be missing: DO $$ BEGIN IF to_regclass(''public.tasks'') IS NOT NULL THEN PERFORM backstop.retire(''public.tasks''); END IF; END $$;'
    WHERE seen.oid IS NULL
    UNION ALL
    SELECT 'wrong_object_type', seen.name || ' is a temporary table, which goes by itself', 'Take the call out.'
    WHERE seen.relpersistence = 't'
    UNION ALL
    SELECT 'wrong_object_type', seen.name || ' is a table of the server or of Backstop', 'Take the call out.'
    WHERE seen.nspname IN ('information_schema', 'backstop') OR seen.nspname ~ '^pg_'
    UNION ALL
    SELECT 'object_not_in_prerequisite_state', seen.name || ' is retired already', 'Take the call out.'
    WHERE pg_catalog.starts_with(seen.nspname, 'retired_')
    UNION ALL
    SELECT 'wrong_object_type', pg_catalog.format('%s is %s, and only tables can be retired', seen.name, kind), remedy
    FROM (VALUES
      ('v', 'a view', 'Drop it in upgrade.sql, and make it again in downgrade.sql: it holds no rows.'),
      ('m', 'a materialized view', 'Drop it in upgrade.sql, and make it again in downgrade.sql: its rows come from tables.'),
      ('f', 'a foreign table', 'Drop it in upgrade.sql, and make it again in downgrade.sql: its rows are on another server.'),
      ('S', 'a sequence', 'Retire the table whose column owns it, or move it to another schema: ALTER SEQUENCE … SET SCHEMA …;'),
      ('i', 'an index', 'Drop it in upgrade.sql, and make it again in downgrade.sql.'),
      ('I', 'an index', 'Drop it in upgrade.sql, and make it again in downgrade.sql.'),
      ('c', 'a type', 'Drop it in upgrade.sql, and make it again in downgrade.sql.')) AS kinds (relkind, kind, remedy)
    WHERE seen.relkind::text = kinds.relkind
    UNION ALL
    SELECT 'wrong_object_type', pg_catalog.format('%s belongs to the extension %I', c.oid::regclass, e.extname),
           pg_catalog.format('Drop the extension, or take the table out of it: ALTER EXTENSION %I DROP TABLE %s;', e.extname, c.oid::regclass)
    FROM backstop.retiring_tree(seen.oid) AS c
    JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
    UNION ALL
    SELECT 'insufficient_privilege', pg_catalog.format('%s belongs to %I', c.oid::regclass, pg_catalog.pg_get_userbyid(c.relowner)),
           pg_catalog.format('Make this user a member of its owner: GRANT %I TO %I;', pg_catalog.pg_get_userbyid(c.relowner), current_user)
    FROM backstop.retiring_tree(seen.oid) AS t JOIN pg_catalog.pg_class AS c ON c.oid = t.oid
    WHERE NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')
  ) AS refusals (code, message, hint) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = refusal.code, MESSAGE = refusal.message, HINT = refusal.hint;
  END IF;
  RETURN seen.oid;
END $fn$`;
