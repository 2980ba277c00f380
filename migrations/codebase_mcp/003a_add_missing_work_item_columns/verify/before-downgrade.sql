-- Data that a downgrade of revision 003a would lose.
--
-- Later revisions may be applied too, so each column is read in the schema where it is, if it exists.

-- check: V9.1 no value would be lost with the columns of this revision
-- A value that the upgrade would give again is no loss.
SELECT held.relation, held.column_name, held.rows
FROM (VALUES
  ('branch_name', NULL), ('commit_hash', NULL), ('pr_number', NULL), ('metadata', NULL), ('created_by', 'system')
) AS dropped (column_name, given)
CROSS JOIN unnest(ARRAY['public.tasks', 'retired_002.tasks']) AS place (relation)
JOIN pg_attribute ON attrelid = to_regclass(relation) AND attname = column_name
CROSS JOIN LATERAL (
  SELECT relation, column_name, substring(
    query_to_xml(
      format('SELECT count(*) AS rows FROM %s WHERE %I::text IS DISTINCT FROM %L', relation, column_name, given),
      false, false, ''
    )::text FROM '<rows>(\d+)</rows>'
  )::bigint AS rows
) AS held
WHERE held.rows > 0;
