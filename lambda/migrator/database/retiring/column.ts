// Retiring and restoring columns, as SQL: a column keeps its values under another name, out of the way of the application.
import { PLPGSQL } from './shared.ts';

/**
 * Gives the column the name `retired_<revision>_<name>`. Its default, identity or expression stays: a row that comes
 * without it gets the value that it would have had. Without one of these, NOT NULL goes.
 */
export const RETIRE_COLUMN = `CREATE FUNCTION backstop.retire_column(target text, column_name text) RETURNS void ${PLPGSQL} AS $fn$
DECLARE
  revision_id CONSTANT text := backstop.retiring_revision();
  root CONSTANT oid := (backstop.retiring_tables(target))[1];
  col CONSTANT name := column_name;
  kept name := pg_catalog.format('retired_%s_%s', revision_id, column_name)::name;
  seen record;
  refusal record;
  member record;
  nullable jsonb := '[]';
BEGIN
  SELECT a.attnum, c.relname, n.nspname INTO seen
  FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE a.attrelid = root AND a.attname = col AND NOT a.attisdropped;
  SELECT * INTO refusal FROM (
    SELECT 'object_not_in_prerequisite_state',
           pg_catalog.format('Revision %s has retired the column %s of %s already', revision_id, col, root::regclass),
           'Take one of the two calls out.'
    FROM backstop.retired AS r JOIN pg_catalog.pg_class AS c ON c.oid = root
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE seen.attnum IS NULL AND r.revision = revision_id AND r.schema_name = n.nspname AND r.table_name = c.relname
      AND r.column_name = col
    UNION ALL
    SELECT 'undefined_column', pg_catalog.format('%s has no column %s', root::regclass, coalesce(col, 'NULL')),
           'Write its name without quotes, as the catalogue has it: ''status''.'
    WHERE seen.attnum IS NULL
    UNION ALL
    SELECT 'wrong_object_type', pg_catalog.format('%s is a column of the server', col), 'Take the call out.'
    WHERE seen.attnum < 0
    UNION ALL
    SELECT 'wrong_object_type', pg_catalog.format('%s inherits the column %s from %s', child.oid::regclass, col, i.inhparent::regclass),
           pg_catalog.format('Retire it there: SELECT backstop.retire_column(%L, %L);', i.inhparent::regclass, col)
    FROM backstop.retiring_tree(root) AS child JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = child.oid
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.inhparent AND a.attname = col AND NOT a.attisdropped
    WHERE i.inhparent NOT IN (SELECT t.oid FROM backstop.retiring_tree(root) AS t)
    UNION ALL
    SELECT 'wrong_object_type', pg_catalog.format('The column %s is in the partition key of %s', col, p.partrelid::regclass),
           'Rows have their place by it: retire the whole table, or make a new one without it.'
    FROM backstop.retiring_tree(root) AS t JOIN pg_catalog.pg_partitioned_table AS p ON p.partrelid = t.oid
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attname = col AND NOT a.attisdropped
    WHERE a.attnum = ANY (p.partattrs) OR EXISTS (
      SELECT FROM pg_catalog.pg_depend AS d
      WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = t.oid AND d.objsubid = a.attnum
        AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = t.oid AND d.deptype = 'i')
    UNION ALL
    SELECT * FROM (
      SELECT 'dependent_objects_still_exist',
             pg_catalog.format('The column %s of %s is needed by %s', col, root::regclass,
               pg_catalog.string_agg(needing.what, ', ' ORDER BY needing.what)),
             'Drop them in a step before, and make them again in downgrade.sql: '
               || pg_catalog.string_agg(needing.remedy, ' ' ORDER BY needing.what)
      FROM (SELECT DISTINCT d.what, d.remedy FROM backstop.retiring_needs(root, col) AS d) AS needing
      HAVING pg_catalog.count(*) > 0) AS needed
  ) AS refusals (code, message, hint) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = refusal.code, MESSAGE = refusal.message, HINT = refusal.hint;
  END IF;
  IF EXISTS (
    SELECT FROM backstop.retiring_tree(root) AS t JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attname = kept
  ) THEN
    kept := pg_catalog.format('retired_%s_%s_%s', revision_id, root, seen.attnum)::name;
  END IF;

  FOR member IN
    SELECT t.oid, c.relname, n.nspname, k.conname, k.conislocal, k.connoinherit, k.convalidated,
           pg_catalog.obj_description(k.oid, 'pg_constraint') AS comment
    FROM backstop.retiring_tree(root) AS t
    JOIN pg_catalog.pg_class AS c ON c.oid = t.oid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attname = col
    -- From PostgreSQL 18 on, NOT NULL is a constraint with a name.
    LEFT JOIN (SELECT o.*, pg_catalog.to_jsonb(o) AS whole FROM pg_catalog.pg_constraint AS o WHERE o.contype = 'n') AS k
      ON k.conrelid = t.oid AND k.conkey = ARRAY[a.attnum]
    WHERE a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
    ORDER BY t.place
  LOOP
    nullable := nullable || pg_catalog.jsonb_build_object('schema', member.nspname, 'table', member.relname, 'constraint', member.conname,
      'is_local', member.conislocal, 'no_inherit', member.connoinherit, 'validated', member.convalidated, 'comment', member.comment);
  END LOOP;
  FOR member IN
    SELECT t.oid FROM backstop.retiring_tree(root) AS t ORDER BY t.place
  LOOP
    -- The statement for the root has dropped all that were inherited from it.
    IF EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = member.oid AND a.attname = col
                 AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = '') THEN
      EXECUTE pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', member.oid::regclass, col);
    END IF;
  END LOOP;
  EXECUTE pg_catalog.format('ALTER TABLE %s RENAME COLUMN %I TO %I', root::regclass, col, kept);
  DELETE FROM backstop.retired AS r WHERE r.revision = revision_id AND r.record ? 'finalized';
  INSERT INTO backstop.retired (revision, schema_name, table_name, column_name, kept_as, record)
  VALUES (revision_id, seen.nspname, seen.relname, col, kept,
          pg_catalog.jsonb_build_object('oid', root::text, 'not_null', nullable));
END $fn$`;

/** The objects that depend on the column of a table or of the tables below it, apart from its own parts, and the SQL that drops them. */
export const NEEDS = `CREATE FUNCTION backstop.retiring_needs(root oid, column_name name) RETURNS TABLE (what text, remedy text)
LANGUAGE sql SECURITY INVOKER SET search_path TO pg_catalog, pg_temp AS $fn$
  SELECT concat(type, ' ', identity),
         CASE type
           WHEN 'table constraint' THEN format('ALTER TABLE %s DROP CONSTRAINT %I;', conrelid::regclass, conname)
           WHEN 'generated column' THEN format('ALTER TABLE %s DROP COLUMN %I;', attrelid::regclass, attname)
           WHEN 'default value' THEN format('ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT;', attrelid::regclass, attname)
           WHEN 'publication relation' THEN format('ALTER PUBLICATION %I DROP TABLE %s;', publication[1], rel)
           ELSE format('DROP %s %s;', upper(replace(type, 'statistics object', 'statistics')), identity) END
  FROM (
    SELECT CASE WHEN v.oid IS NOT NULL THEN CASE v.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END
                WHEN g.attname IS NOT NULL AND g.attgenerated <> '' THEN 'generated column' ELSE o.type END AS type,
           CASE WHEN v.oid IS NOT NULL THEN v.oid::regclass::text
                WHEN g.attname IS NOT NULL THEN format('%s.%I', g.attrelid::regclass, g.attname)
                WHEN k.oid IS NOT NULL THEN format('%I on %s', k.conname, k.conrelid::regclass) ELSE o.identity END AS identity,
           k.conrelid, k.conname, g.attrelid, g.attname, pub.publication, pub.rel
    FROM backstop.retiring_tree($1) AS t
    JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attname = $2 AND NOT a.attisdropped
    JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid AND d.refobjsubid = a.attnum
    CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) AS o
    LEFT JOIN pg_constraint AS k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
    LEFT JOIN pg_attrdef AS b ON d.classid = 'pg_attrdef'::regclass AND b.oid = d.objid
    -- Up to PostgreSQL 14, a generated column depends by itself, and not by its expression.
    LEFT JOIN pg_attribute AS g ON g.attrelid = coalesce(b.adrelid, d.objid)
      AND g.attnum = CASE WHEN d.classid = 'pg_class'::regclass THEN nullif(d.objsubid, 0) ELSE b.adnum END
    LEFT JOIN pg_rewrite AS w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid AND w.rulename = '_RETURN'
    LEFT JOIN pg_class AS v ON v.oid = w.ev_class
    LEFT JOIN LATERAL (
      SELECT address.object_args AS publication, d2.refobjid::regclass AS rel
      FROM pg_identify_object_as_address(d.classid, d.objid, 0) AS address
      JOIN pg_depend AS d2 ON d2.classid = d.classid AND d2.objid = d.objid AND d2.refclassid = 'pg_class'::regclass
      WHERE address.type = 'publication relation' LIMIT 1) AS pub ON true
    WHERE NOT (d.classid = 'pg_class'::regclass AND o.type = 'sequence')
      AND NOT coalesce(k.contype = 'n', false)
      AND NOT (b.oid IS NOT NULL AND b.adrelid = t.oid AND b.adnum = a.attnum)
      -- The key of a table that refers to this one is named by its constraint; an index of a constraint, too.
      AND NOT (d.classid = 'pg_class'::regclass AND EXISTS (
        SELECT FROM pg_depend AS own WHERE own.classid = d.classid AND own.objid = d.objid AND own.deptype = 'i'))
  ) AS needing
$fn$`;

/** The table that has the column of a row of the record now; NULL if it is gone. */
export const COLUMN_OF = `CREATE FUNCTION backstop.retired_column_of(retired backstop.retired) RETURNS regclass
LANGUAGE sql SECURITY INVOKER SET search_path TO pg_catalog, pg_temp AS $fn$
  -- A later revision may have given the table another name; a copy of the database has other oids.
  SELECT a.attrelid::regclass FROM pg_catalog.pg_attribute AS a
  WHERE a.attname = $1.kept_as AND NOT a.attisdropped AND a.attrelid IN (
    ($1.record ->> 'oid')::oid, pg_catalog.to_regclass(pg_catalog.format('%I.%I', $1.schema_name, $1.table_name)))
  ORDER BY a.attrelid <> ($1.record ->> 'oid')::oid LIMIT 1
$fn$`;

/** Gives the column of one row of the record its name again, and NOT NULL. */
export const RESTORE_COLUMN = `CREATE FUNCTION backstop.restore_retired_column(retired backstop.retired) RETURNS void ${PLPGSQL} AS $fn$
DECLARE
  here CONSTANT regclass := backstop.retired_column_of(retired);
  empty bigint;
  member record;
BEGIN
  IF here IS NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = 'undefined_column',
      MESSAGE = pg_catalog.format('The retired column %I of %I.%I is not there', retired.kept_as, retired.schema_name, retired.table_name),
      HINT = pg_catalog.format('If it was given another name, give it this one again. If it is lost: '
        'DELETE FROM backstop.retired WHERE id = %s;', retired.id);
  END IF;
  IF EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
             WHERE a.attrelid = here AND a.attname = retired.column_name AND NOT a.attisdropped) THEN
    RAISE EXCEPTION USING
      ERRCODE = 'object_not_in_prerequisite_state',
      MESSAGE = pg_catalog.format('The retired column %I of %s cannot come back: a column of that name is there since',
        retired.column_name, here),
      HINT = pg_catalog.format('Give it another name: ALTER TABLE %s RENAME COLUMN %I TO %I;', here, retired.column_name,
        'new_' || retired.column_name);
  END IF;
  IF pg_catalog.jsonb_array_length(retired.record -> 'not_null') > 0 THEN
    EXECUTE pg_catalog.format('SELECT pg_catalog.count(*) FROM %s WHERE %I IS NULL', here, retired.kept_as) INTO empty;
    IF empty > 0 AND retired.record ? 'finalized' THEN
      RAISE WARNING 'Column % of % comes back without NOT NULL: its values are lost', retired.column_name, here;
    ELSIF empty > 0 THEN
      RAISE EXCEPTION USING
        ERRCODE = 'not_null_violation',
        MESSAGE = pg_catalog.format('Rows of %s came while the column %I was retired, and have no value in it: %s', here,
          retired.column_name, empty),
        HINT = pg_catalog.format('It was NOT NULL. Give them a value, then run again: UPDATE %s SET %I = … WHERE %2$I IS NULL;',
          here, retired.kept_as);
    END IF;
  END IF;
  EXECUTE pg_catalog.format('ALTER TABLE %s RENAME COLUMN %I TO %I', here, retired.kept_as, retired.column_name);
  FOR member IN
    SELECT coalesce(pg_catalog.to_regclass(pg_catalog.format('%I.%I', m ->> 'schema', m ->> 'table')), here) AS relation,
           m ->> 'constraint' AS name, (m ->> 'no_inherit')::bool AS no_inherit,
           (m ->> 'validated')::bool AS validated, m ->> 'comment' AS comment
    FROM pg_catalog.jsonb_array_elements(retired.record -> 'not_null') WITH ORDINALITY AS members (m, place)
    WHERE (m ->> 'is_local')::bool IS NOT FALSE AND coalesce(empty, 0) = 0
    ORDER BY place DESC
  LOOP
    IF member.name IS NULL THEN
      EXECUTE pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL', member.relation, retired.column_name);
    ELSE
      EXECUTE pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I NOT NULL %I%s%s', member.relation, member.name, retired.column_name,
        CASE WHEN member.no_inherit THEN ' NO INHERIT' END, CASE WHEN NOT member.validated THEN ' NOT VALID' END);
      IF member.comment IS NOT NULL THEN
        EXECUTE pg_catalog.format('COMMENT ON CONSTRAINT %I ON %s IS %L', member.name, member.relation, member.comment);
      END IF;
    END IF;
  END LOOP;
END $fn$`;
