-- Data that a downgrade of revision 003 would lose.
--
-- Later revisions may be applied too, so each table and column is read in the schema where it is, if it exists.

-- check: V9.1 no row would be lost with the tables of this revision
SELECT held.relation, held.rows
FROM unnest(ARRAY[
  'public.archived_work_items', 'public.work_item_deployment_links', 'public.vendor_deployment_links',
  'public.work_item_dependencies', 'public.future_enhancements', 'public.project_configuration',
  'public.deployment_events', 'public.vendor_extractors', 'retired_002.archived_work_items',
  'retired_002.work_item_deployment_links', 'retired_002.vendor_deployment_links',
  'retired_002.work_item_dependencies', 'retired_002.future_enhancements', 'retired_002.project_configuration',
  'retired_002.deployment_events', 'retired_002.vendor_extractors'
]) AS place (relation)
CROSS JOIN LATERAL (
  SELECT place.relation, substring(
    query_to_xml('SELECT count(*) AS rows FROM ' || to_regclass(place.relation), false, false, '')::text
    FROM '<rows>(\d+)</rows>'
  )::bigint AS rows
) AS held
WHERE held.rows > 0;

-- check: V9.2 no value would be lost with the columns of this revision
-- A value that the upgrade would give again is no loss.
SELECT held.relation, held.column_name, held.rows
FROM (VALUES
  ('version', '1'), ('item_type', 'task'), ('parent_id', NULL), ('path', '/'), ('depth', '0'), ('deleted_at', NULL)
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
