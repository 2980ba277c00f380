-- Conditions that must hold after the downgrade of revision 002.

-- check: V8.1 project_id columns are removed
-- shown as: project_id columns removed (0 columns found)
-- A column that the upgrade found stays. The latest downgrade says so in a notice.
SELECT table_name, column_name
FROM information_schema.columns
WHERE table_schema = 'public' AND table_name IN ('repositories', 'code_chunks') AND column_name = 'project_id'
  AND NOT EXISTS (
    SELECT FROM (
      SELECT report FROM backstop.history
      WHERE direction = 'downgrade' AND outcome = 'downgraded' AND report -> 'revisions' @> '["002"]'
      ORDER BY id DESC
      LIMIT 1
    ) AS latest
    WHERE report @> format('{"steps": [{"notices": [{"message": '
      '"Column project_id of %s kept, revision 002 did not add it"}]}]}', table_name)::jsonb
  );

-- check: V8.2 CHECK constraints are removed
-- shown as: CHECK constraints removed (0 constraints found)
SELECT conrelid::regclass::text AS table_name, conname AS constraint_name
FROM pg_constraint
WHERE connamespace = 'public'::regnamespace
  AND conname IN ('check_repositories_project_id', 'check_code_chunks_project_id');

-- check: V8.3 performance index is removed
-- shown as: Performance index removed (idx_project_repository not found)
SELECT tablename AS table_name, indexname AS index_name
FROM pg_indexes
WHERE schemaname = 'public' AND indexname = 'idx_project_repository';

-- check: V8.4 all nine tables are restored
-- shown as: Dropped tables restored (9 tables found)
SELECT expected.table_name
FROM (VALUES
  ('archived_work_items'), ('work_item_deployment_links'), ('vendor_deployment_links'), ('work_item_dependencies'),
  ('future_enhancements'), ('project_configuration'), ('deployment_events'), ('vendor_extractors'), ('tasks')
) AS expected (table_name)
WHERE NOT EXISTS (
  SELECT FROM pg_tables WHERE schemaname = 'public' AND tablename = expected.table_name
);

-- check: V8.5 the downgrade inserted and deleted no row of repositories and code_chunks
-- shown as: repositories data preserved (row count matches baseline)
-- shown as: code_chunks data preserved (row count matches baseline)
SELECT counted.relation, counted.inserted, counted.deleted
FROM (
  SELECT report -> 'rows' AS counters
  FROM backstop.history
  WHERE direction = 'downgrade' AND outcome = 'downgraded' AND report -> 'revisions' @> '["002"]'
  ORDER BY id DESC
  LIMIT 1
) AS latest
CROSS JOIN LATERAL jsonb_to_recordset(latest.counters) AS counted (relation text, inserted bigint, deleted bigint)
WHERE counted.relation IN ('public.repositories', 'public.code_chunks')
  AND (counted.inserted <> 0 OR counted.deleted <> 0);
