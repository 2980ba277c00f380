// Finalize, as SQL: the retired tables and columns of the revision are dropped for good, and nothing else.
import { PLPGSQL } from './shared.ts';

export const DROP_RETIRED = `CREATE FUNCTION backstop.drop_retired() RETURNS void ${PLPGSQL} AS $fn$
DECLARE
  revision_id CONSTANT text := backstop.retiring_revision();
  home CONSTANT text := 'retired_' || revision_id;
  doomed record;
BEGIN
  FOR doomed IN
    SELECT pg_catalog.string_agg(pg_catalog.format('%I.%I', home, m ->> 'kept_as'), ', ') AS tables, pg_catalog.count(*) AS count
    FROM backstop.retired AS r CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(r.record -> 'members') AS m
    WHERE r.revision = revision_id AND pg_catalog.to_regclass(pg_catalog.format('%I.%I', home, m ->> 'kept_as')) IS NOT NULL
    HAVING pg_catalog.count(*) > 0
  LOOP
    EXECUTE 'DROP TABLE ' || doomed.tables;
    RAISE NOTICE '% tables dropped for good', doomed.count;
  END LOOP;
  FOR doomed IN
    SELECT backstop.retired_column_of(r) AS relation, r.kept_as
    FROM backstop.retired AS r WHERE r.revision = revision_id AND r.column_name IS NOT NULL
  LOOP
    CONTINUE WHEN doomed.relation IS NULL;
    EXECUTE pg_catalog.format('ALTER TABLE %s DROP COLUMN %I', doomed.relation, doomed.kept_as);
    RAISE NOTICE 'Column % of % dropped for good', doomed.kept_as, doomed.relation;
  END LOOP;
  DELETE FROM backstop.retired AS r WHERE r.revision = revision_id;
  EXECUTE pg_catalog.format('DROP SCHEMA IF EXISTS %I', home);
END $fn$`;
