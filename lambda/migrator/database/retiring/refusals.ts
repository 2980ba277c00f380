// The refusals of finalize, as SQL: objects that no revision has retired would go.
import { PLPGSQL } from './shared.ts';

/** The schema of the revision must hold what the record lists, and nothing else: it would look as if it were retired. */
export const REFUSE_STRANGERS = `CREATE FUNCTION backstop.refuse_strangers() RETURNS void ${PLPGSQL} AS $fn$
DECLARE
  revision_id CONSTANT text := backstop.retiring_revision();
  home CONSTANT text := 'retired_' || revision_id;
  kept CONSTANT text := 'kept_' || revision_id;
  strangers record;
BEGIN
  SELECT pg_catalog.string_agg(pg_catalog.format('%s %s', o.type, o.identity), ', ' ORDER BY o.identity) AS names,
         pg_catalog.string_agg(pg_catalog.format('ALTER %s %s SET SCHEMA %I;', pg_catalog.upper(o.type), o.identity, kept), ' ' ORDER BY o.identity) AS remedy
  INTO strangers
  FROM pg_catalog.pg_namespace AS n
  JOIN pg_catalog.pg_depend AS d ON d.refclassid = 'pg_catalog.pg_namespace'::regclass AND d.refobjid = n.oid AND d.deptype = 'n'
  CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) AS o
  WHERE n.nspname = home
    AND NOT (d.classid = 'pg_catalog.pg_class'::regclass AND EXISTS (
      SELECT FROM backstop.retired AS r CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(r.record -> 'members') AS m
      JOIN pg_catalog.pg_class AS c ON c.relname = m ->> 'kept_as'
      WHERE r.revision = revision_id AND c.oid = d.objid))
    -- A sequence that a column owns belongs to its table.
    AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend AS own WHERE own.classid = d.classid AND own.objid = d.objid
        AND own.refclassid = 'pg_catalog.pg_class'::regclass AND own.deptype IN ('a', 'i') AND o.type = 'sequence');
  IF strangers.names IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = 'dependent_objects_still_exist',
      MESSAGE = pg_catalog.format('Schema %I holds objects that revision %s did not retire', home, revision_id),
      DETAIL = 'Found: ' || strangers.names,
      HINT = pg_catalog.format('Run: CREATE SCHEMA IF NOT EXISTS %I; %s', kept, strangers.remedy);
  END IF;
END $fn$`;

/**
 * A child table went with its parent, and no revision has named it: its rows are not dropped. Partitions are parts of their
 * table.
 */
export const REFUSE_CHILDREN = `CREATE FUNCTION backstop.refuse_children() RETURNS void ${PLPGSQL} AS $fn$
DECLARE
  revision_id CONSTANT text := backstop.retiring_revision();
  child record;
  has_rows boolean;
BEGIN
  FOR child IN
    SELECT c.oid::regclass AS here, pg_catalog.format('%I.%I', m ->> 'schema', m ->> 'name') AS name, r.schema_name, r.table_name
    FROM backstop.retired AS r
    CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(r.record -> 'members') WITH ORDINALITY AS members (m, place)
    JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.to_regclass(pg_catalog.format('%I.%I', 'retired_' || revision_id, m ->> 'kept_as'))
    WHERE r.revision = revision_id AND place > 1 AND c.relkind = 'r' AND NOT c.relispartition
  LOOP
    EXECUTE pg_catalog.format('SELECT EXISTS (SELECT FROM ONLY %s)', child.here) INTO has_rows;
    IF has_rows THEN
      RAISE EXCEPTION USING
        ERRCODE = 'dependent_objects_still_exist',
        MESSAGE = pg_catalog.format('The rows of %s would be dropped, which inherits from %I.%I', child.name, child.schema_name, child.table_name),
        HINT = pg_catalog.format('To keep them, downgrade, and take the table out first: ALTER TABLE %s NO INHERIT %I.%I; if they may go: TRUNCATE ONLY %s;',
          child.name, child.schema_name, child.table_name, child.here);
    END IF;
  END LOOP;
END $fn$`;
