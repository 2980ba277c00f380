-- Conditions that must hold before revision 001 is applied.

-- check: V0.2 no table of this revision exists without a version
-- The tables of all revisions count, because the database may be at a later revision. A revision is recognized by the
-- first object that it made; 002, by the constraint that it adds and the tables that it takes away.
SELECT 'UnknownRevision' AS error,
  'The database holds tables of these revisions, but no version that says at which of them it is' AS message,
  concat('Found in schema public: ', found.tables, '.',
    ' They look like revision ' || looks.revision || '.') AS detail,
  coalesce(
    'Take the database over as it is, then run again: npx backstop stamp ' || looks.revision,
    'They look like none of the revisions. Check that the connection leads to the right database; if it does, '
      'rename these tables or move them to another schema, then run again.'
  ) AS hint
FROM (
  SELECT string_agg(tablename, ', ' ORDER BY tablename) AS tables, array_agg(tablename::text) AS names
  FROM pg_tables
  WHERE schemaname = 'public' AND tablename IN (
    'repositories', 'code_files', 'code_chunks', 'embeddings',
    'archived_work_items', 'work_item_deployment_links', 'vendor_deployment_links', 'work_item_dependencies',
    'future_enhancements', 'project_configuration', 'deployment_events', 'vendor_extractors', 'tasks'
  )
) AS found
CROSS JOIN LATERAL (
  SELECT CASE
    WHEN NOT found.names @> ARRAY['repositories', 'code_files', 'code_chunks'] THEN NULL
    WHEN NOT 'tasks' = ANY (found.names) AND EXISTS (
      SELECT FROM pg_constraint
      WHERE conrelid = to_regclass('public.repositories') AND conname = 'check_repositories_project_id'
    ) THEN '002'
    WHEN to_regclass('public.idx_vendor_name_lower') IS NOT NULL THEN '005'
    WHEN EXISTS (
      SELECT FROM pg_attribute WHERE attrelid = to_regclass('public.tasks') AND attname = 'created_by'
    ) THEN '003a'
    WHEN 'vendor_extractors' = ANY (found.names) THEN '003'
    WHEN 'tasks' = ANY (found.names) THEN '001'
  END AS revision
) AS looks
WHERE found.tables IS NOT NULL;
