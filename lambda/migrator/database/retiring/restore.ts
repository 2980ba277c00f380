// Restoring by name, or all that a revision retired, as SQL.
import { PLPGSQL } from './shared.ts';

/** Brings back one row of the record, and forgets it. The schema of the revision goes when it is empty. */
export const RESTORE_ONE = `CREATE FUNCTION backstop.restore_retired(wanted bigint) RETURNS void ${PLPGSQL} AS $fn$
DECLARE
  retired backstop.retired;
BEGIN
  SELECT * INTO retired FROM backstop.retired AS r WHERE r.id = wanted;
  IF retired.column_name IS NULL THEN
    PERFORM backstop.restore_retired_table(retired);
  ELSE
    PERFORM backstop.restore_retired_column(retired);
  END IF;
  DELETE FROM backstop.retired AS r WHERE r.id = wanted;
  IF NOT EXISTS (SELECT FROM backstop.retired AS r WHERE r.revision = retired.revision AND r.column_name IS NULL) THEN
    BEGIN
      EXECUTE pg_catalog.format('DROP SCHEMA IF EXISTS %I RESTRICT', 'retired_' || retired.revision);
    EXCEPTION WHEN dependent_objects_still_exist THEN
      RAISE NOTICE 'Schema retired_% kept, it holds objects that revision % did not retire', retired.revision, retired.revision;
    END;
  END IF;
END $fn$`;

/** All that the revision retired, the last one first. Returns how many tables and columns. */
export const RESTORE_ALL = `CREATE FUNCTION backstop.restore() RETURNS bigint ${PLPGSQL} AS $fn$
DECLARE
  wanted bigint;
  count bigint := 0;
BEGIN
  FOR wanted IN
    SELECT r.id FROM backstop.retired AS r WHERE r.revision = backstop.retiring_revision() ORDER BY r.id DESC
  LOOP
    PERFORM backstop.restore_retired(wanted);
    count := count + 1;
  END LOOP;
  RETURN count;
END $fn$`;

const byName = (
  signature: string,
  table: string,
  column: string,
) => `CREATE FUNCTION backstop.${signature} RETURNS void ${PLPGSQL} AS $fn$
DECLARE
  revision CONSTANT text := backstop.retiring_revision();
  wanted bigint;
BEGIN
  SELECT r.id INTO wanted FROM backstop.retired AS r
  WHERE r.revision = backstop.retiring_revision() AND r.column_name IS NOT DISTINCT FROM ${column}
    AND pg_catalog.parse_ident(${table}) = ARRAY[r.schema_name, r.table_name];
  IF wanted IS NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = 'object_not_in_prerequisite_state',
      MESSAGE = pg_catalog.concat('Revision ', revision, ' has not retired ', ${column === 'NULL' ? '' : `'the column ', ${column}, ' of ', `}${table}),
      HINT = 'Name it as upgrade.sql does, or bring back all that the revision retired: SELECT backstop.restore();';
  END IF;
  PERFORM backstop.restore_retired(wanted);
END $fn$`;

export const RESTORE_NAMED: readonly string[] = [
  byName('restore(target text)', 'target', 'NULL'),
  byName('restore_column(target text, column_name text)', 'target', 'restore_column.column_name'),
];
