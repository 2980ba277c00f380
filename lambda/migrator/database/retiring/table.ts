// Retiring and restoring tables, as SQL: a table and all below it move to the schema of the revision, and back.
import { asQuery, PLPGSQL } from './shared.ts';

/**
 * Moves the tables to `retired_<revision>`. Their indexes, constraints, triggers, policies, rules, grants and sequences go with
 * them; foreign keys and views of others still lead to them. An object whose name is taken in that schema gets a free name.
 *
 * Without a table it makes the schema and plans the queries: a run does so before it locks tables.
 */
export const RETIRE = `CREATE FUNCTION backstop.retire(VARIADIC targets text[]) RETURNS void ${PLPGSQL} AS $fn$
DECLARE
  revision_id CONSTANT text := backstop.retiring_revision();
  home CONSTANT text := 'retired_' || revision_id;
  roots oid[];
  tables oid[];
  of_roots oid[];
  refusal record;
  owner name;
  names_clash boolean;
  moving record;
  part record;
  kept name;
  renamed jsonb;
  moved jsonb := '[]';
BEGIN
  -- First: the server plans all queries again once there is a new schema, and after a GRANT on one.
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = home) THEN
    EXECUTE pg_catalog.format('CREATE SCHEMA %I', home);
    EXECUTE pg_catalog.format('COMMENT ON SCHEMA %I IS %L', home, pg_catalog.format('Tables that revision %s retired, with every '
      'row. A downgrade brings them back, "backstop finalize" drops them for good.', revision_id));
  END IF;
  roots := backstop.retiring_tables(VARIADIC targets);
  SELECT pg_catalog.array_agg(t.oid ORDER BY t.root_place, t.place), pg_catalog.array_agg(t.of_root ORDER BY t.root_place, t.place)
  INTO tables, of_roots
  FROM (SELECT below.*, pg_catalog.array_position(roots, below.of_root) AS root_place FROM backstop.retiring_tree(VARIADIC roots) AS below) AS t;
  SELECT child.relispartition AS is_partition, child.oid::regclass AS child, parent.oid::regclass AS parent INTO refusal
  FROM ROWS FROM (pg_catalog.unnest(tables), pg_catalog.unnest(of_roots)) WITH ORDINALITY AS t (oid, of_root, place)
  JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = t.oid
  JOIN pg_catalog.pg_class AS child ON child.oid = i.inhrelid JOIN pg_catalog.pg_class AS parent ON parent.oid = i.inhparent
  WHERE (t.of_root, i.inhparent) NOT IN (
    SELECT above.of_root, above.oid FROM ROWS FROM (pg_catalog.unnest(tables), pg_catalog.unnest(of_roots)) AS above (oid, of_root))
  ORDER BY t.place LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING
      ERRCODE = 'wrong_object_type',
      MESSAGE = pg_catalog.format(CASE WHEN refusal.is_partition THEN '%s is a partition of %s' ELSE '%s inherits from %s' END,
        refusal.child, refusal.parent),
      HINT = pg_catalog.format(CASE WHEN refusal.is_partition THEN 'Retire %2$s, or take it out first: ALTER TABLE %2$s DETACH PARTITION %1$s;'
        ELSE 'Retire %2$s, or take it out first: ALTER TABLE %1$s NO INHERIT %2$s;' END, refusal.child, refusal.parent);
  END IF;

  -- Foreign keys are checked with the rights of the table's owner, who must be let into the schema.
  FOR owner IN
    SELECT DISTINCT pg_catalog.pg_get_userbyid(c.relowner) FROM pg_catalog.pg_class AS c
    WHERE c.oid = ANY (tables) AND NOT pg_catalog.has_schema_privilege(c.relowner, home, 'USAGE')
  LOOP
    EXECUTE pg_catalog.format('GRANT USAGE ON SCHEMA %I TO %I', home, owner);
  END LOOP;
  names_clash := (
    SELECT pg_catalog.count(u.name) > pg_catalog.count(DISTINCT u.name)
        OR EXISTS (SELECT FROM pg_catalog.pg_namespace AS n
                   JOIN pg_catalog.pg_depend AS d ON d.refclassid = 'pg_catalog.pg_namespace'::regclass AND d.refobjid = n.oid
                   WHERE n.nspname = home)
    FROM backstop.retiring_names(VARIADIC tables) AS p CROSS JOIN LATERAL pg_catalog.unnest(ARRAY[p.name, p.array_name]) AS u (name));
  FOR moving IN
    SELECT t.of_root, t.oid, n.nspname, c.relname, c.relkind
    FROM ROWS FROM (pg_catalog.unnest(tables), pg_catalog.unnest(of_roots)) WITH ORDINALITY AS t (oid, of_root, place)
    JOIN pg_catalog.pg_class AS c ON c.oid = t.oid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    ORDER BY t.place
  LOOP
    renamed := '[]';
    kept := moving.relname;
    IF names_clash THEN
      FOR part IN
        SELECT p.class, p.oid, p.name, 'retired_' || p.oid AS kept_as FROM backstop.retiring_names(moving.oid) AS p
        WHERE EXISTS (
          SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
          WHERE n.nspname = home AND c.relname = p.name)
        OR p.class = 'TABLE' AND EXISTS (
          SELECT FROM pg_catalog.pg_type AS y JOIN pg_catalog.pg_namespace AS n ON n.oid = y.typnamespace
          WHERE n.nspname = home AND y.typname IN (p.name, p.array_name))
      LOOP
        EXECUTE pg_catalog.format('ALTER %s %s RENAME TO %I', part.class, part.oid::regclass, part.kept_as);
        renamed := renamed || pg_catalog.jsonb_build_object('class', part.class, 'name', part.name, 'kept_as', part.kept_as);
        IF part.class = 'TABLE' THEN
          kept := part.kept_as;
        END IF;
      END LOOP;
    END IF;
    EXECUTE pg_catalog.format('ALTER TABLE %s SET SCHEMA %I', moving.oid::regclass, home);
    moved := moved || pg_catalog.jsonb_build_object('root', moving.of_root::text, 'schema', moving.nspname, 'name', moving.relname,
      'kind', moving.relkind, 'kept_as', kept, 'renamed', renamed);
  END LOOP;
  -- Of an upgrade before, whose tables finalize has dropped.
  DELETE FROM backstop.retired AS r WHERE r.revision = revision_id AND r.record ? 'finalized' AND pg_catalog.cardinality(roots) > 0;
  INSERT INTO backstop.retired (revision, schema_name, table_name, kept_as, record)
  SELECT revision_id, o.members -> 0 ->> 'schema', o.members -> 0 ->> 'name', o.members -> 0 ->> 'kept_as',
         pg_catalog.jsonb_build_object('members', o.members)
  FROM (SELECT pg_catalog.jsonb_agg(m - 'root' ORDER BY place) AS members, pg_catalog.min(place) AS place
        FROM pg_catalog.jsonb_array_elements(moved) WITH ORDINALITY AS all_moved (m, place) GROUP BY m ->> 'root') AS o
  ORDER BY o.place;
END $fn$`;

/** The objects with a name in the schema of each table: the table, its indexes and the sequences of its columns. */
export const NAMES = `CREATE FUNCTION backstop.retiring_names(VARIADIC tables oid[])
RETURNS TABLE (class text, oid oid, name name, array_name name) ${asQuery(`
  SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'i' THEN 'INDEX' WHEN 'I' THEN 'INDEX' ELSE 'TABLE' END,
         c.oid, c.relname, a.typname
  FROM pg_catalog.unnest($1) AS t (oid)
  CROSS JOIN LATERAL (
    SELECT t.oid AS part, false AS is_sequence
    UNION ALL
    SELECT i.indexrelid, false FROM pg_catalog.pg_index AS i WHERE i.indrelid = t.oid
    UNION ALL
    SELECT d.objid, true FROM pg_catalog.pg_depend AS d
    WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = t.oid
      AND d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')) AS p
  JOIN pg_catalog.pg_class AS c ON c.oid = p.part AND (c.relkind = 'S') = p.is_sequence
  LEFT JOIN pg_catalog.pg_type AS y ON y.oid = c.reltype LEFT JOIN pg_catalog.pg_type AS a ON a.oid = y.typarray
  ORDER BY t.oid, c.oid <> t.oid, c.relname`)}`;

/** Moves the tables of one row of the record back. */
export const RESTORE_TABLE = `CREATE FUNCTION backstop.restore_retired_table(retired backstop.retired) RETURNS void ${PLPGSQL} AS $fn$
DECLARE
  home CONSTANT text := 'retired_' || retired.revision;
  member record;
  here oid;
  clash record;
  part record;
BEGIN
  FOR member IN
    SELECT m ->> 'schema' AS schema, m ->> 'name' AS name, m ->> 'kept_as' AS kept_as, m -> 'renamed' AS renamed
    FROM pg_catalog.jsonb_array_elements(retired.record -> 'members') WITH ORDINALITY AS members (m, place)
    ORDER BY place DESC
  LOOP
    here := pg_catalog.to_regclass(pg_catalog.format('%I.%I', home, member.kept_as));
    IF here IS NULL THEN
      RAISE EXCEPTION USING
        ERRCODE = 'undefined_table',
        MESSAGE = pg_catalog.format('The retired table %I.%I is not there', home, member.kept_as),
        HINT = pg_catalog.format('Revision %s retired %I.%I to it: if it was moved, move it back. If it is lost: '
          'DELETE FROM backstop.retired WHERE id = %s;', retired.revision, member.schema, member.name, retired.id);
    END IF;
    SELECT member.schema AS schema, p.name, c.oid IS NULL AS is_schema INTO clash
    FROM (SELECT coalesce(r ->> 'name', n.name) AS name
          FROM backstop.retiring_names(here) AS n
          LEFT JOIN pg_catalog.jsonb_array_elements(member.renamed) AS r ON r ->> 'kept_as' = n.name) AS p
    LEFT JOIN pg_catalog.pg_namespace AS s ON s.nspname = member.schema
    LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = s.oid AND c.relname = p.name
    WHERE s.oid IS NULL OR c.oid IS NOT NULL LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION USING
        ERRCODE = 'object_not_in_prerequisite_state',
        MESSAGE = pg_catalog.format('The retired table %I.%I cannot come back: ', member.schema, member.name)
          || pg_catalog.format(CASE WHEN clash.is_schema THEN 'the schema %1$I is gone' ELSE '%1$I.%2$I is there since' END,
            clash.schema, clash.name),
        HINT = CASE WHEN clash.is_schema THEN pg_catalog.format('CREATE SCHEMA %I;', clash.schema)
          ELSE pg_catalog.format('Give it another name: ALTER TABLE %I.%I RENAME TO %I;', clash.schema, clash.name, 'new_' || clash.name) END;
    END IF;
    EXECUTE pg_catalog.format('ALTER TABLE %s SET SCHEMA %I', here::regclass, member.schema);
    FOR part IN
      SELECT r ->> 'class' AS class, r ->> 'name' AS name, r ->> 'kept_as' AS kept_as
      FROM pg_catalog.jsonb_array_elements(member.renamed) AS r
    LOOP
      EXECUTE pg_catalog.format('ALTER %s %I.%I RENAME TO %I', part.class, member.schema, part.kept_as, part.name);
    END LOOP;
  END LOOP;
END $fn$`;
