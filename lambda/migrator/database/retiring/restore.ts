// Restoring by name, or all that a revision retired, as SQL.
import { PLPGSQL } from './shared.ts';

/** Brings back one row of the record, and forgets it. The schema of the revision goes when it is empty. */
export const RESTORE_ONE = `CREATE FUNCTION backstop.restore_retired(wanted bigint) RETURNS void ${PLPGSQL} AS $fn$
DECLARE
  retired backstop.retired;
BEGIN
  SELECT * INTO retired FROM backstop.retired AS r WHERE r.id = wanted;
  IF retired.record ? 'finalized' THEN
    PERFORM backstop.remake_retired(retired);
  END IF;
  IF retired.column_name IS NULL AND retired.record ? 'finalized' THEN
    NULL;
  ELSIF retired.column_name IS NULL THEN
    PERFORM backstop.restore_retired_table(retired);
  ELSE
    PERFORM backstop.restore_retired_column(retired);
  END IF;
  DELETE FROM backstop.retired AS r WHERE r.id = wanted;
  IF NOT EXISTS (SELECT FROM backstop.retired AS r WHERE r.revision = retired.revision AND r.column_name IS NULL) THEN
    PERFORM backstop.drop_retired_schema();
  END IF;
END $fn$`;

/**
 * Makes again what finalize has dropped, empty: the first row of the tables has the statements of all of them. A warning
 * says once that the rows are lost.
 */
export const REMAKE = `CREATE FUNCTION backstop.remake_retired(retired backstop.retired) RETURNS void ${PLPGSQL} AS $fn$
DECLARE
  source record;
  clash text;
BEGIN
  SELECT r.id, r.record -> 'statements' AS statements INTO source FROM backstop.retired AS r
  WHERE r.revision = retired.revision AND r.record ? 'statements'
    AND CASE WHEN retired.column_name IS NULL THEN r.column_name IS NULL ELSE r.id = retired.id END;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  SELECT pg_catalog.format('%I.%I', r.schema_name, r.table_name) INTO clash FROM backstop.retired AS r
  WHERE r.revision = retired.revision AND retired.column_name IS NULL AND r.column_name IS NULL
    AND pg_catalog.to_regclass(pg_catalog.format('%I.%I', r.schema_name, r.table_name)) IS NOT NULL LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING
      ERRCODE = 'object_not_in_prerequisite_state',
      MESSAGE = pg_catalog.format('The retired table %s cannot come back: %1$s is there since', clash),
      HINT = pg_catalog.format('Give it another name: ALTER TABLE %s RENAME TO …;', clash);
  END IF;
  PERFORM backstop.retiring_run(source.statements);
  UPDATE backstop.retired AS r SET record = r.record - 'statements' WHERE r.id = source.id;
  IF coalesce(pg_catalog.current_setting('backstop.warned', true), '') <> retired.revision THEN
    RAISE WARNING 'Data in dropped % NOT restored. Restore from backup if needed.',
      CASE WHEN retired.column_name IS NULL THEN 'tables' ELSE 'columns' END;
    PERFORM pg_catalog.set_config('backstop.warned', retired.revision, true);
  END IF;
END $fn$`;

/** All that the revision retired, the last one first. Returns how many tables and columns came back with their values. */
export const RESTORE_ALL = `CREATE FUNCTION backstop.restore() RETURNS bigint ${PLPGSQL} AS $fn$
DECLARE
  wanted bigint;
  count bigint := 0;
BEGIN
  FOR wanted IN
    SELECT r.id FROM backstop.retired AS r WHERE r.revision = backstop.retiring_revision() ORDER BY r.id DESC
  LOOP
    count := count + (SELECT pg_catalog.count(*) FROM backstop.retired AS r WHERE r.id = wanted AND NOT r.record ? 'finalized');
    PERFORM backstop.restore_retired(wanted);
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
