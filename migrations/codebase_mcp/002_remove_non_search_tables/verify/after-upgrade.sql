-- Conditions that must hold once revision 002 is applied.
--
-- The checks have the order of the lines that show them, so V5.2, which has a separate line, is last.
-- A check that reads project_id joins a row named missing: the name resolves to the column of the table if there is
-- one, else to the null of missing. So the check reports violations instead of failing.
-- All checks share one pass over code_chunks. A check reads it again only if that pass found a violation.

-- gather: every chunk beside its repository, counted by the project_id of both
CREATE TEMPORARY TABLE chunk_projects ON COMMIT DROP AS
SELECT chunk.project_id, repository.project_id AS repository_project_id,
  repository.id IS NOT NULL AS has_repository, count(*) AS chunks
FROM (
  SELECT held.* FROM (VALUES (NULL::varchar)) AS missing (project_id)
  CROSS JOIN LATERAL (SELECT code_file_id, project_id FROM public.code_chunks) AS held
) AS chunk
LEFT JOIN (
  public.code_files AS file
  JOIN (
    SELECT held.* FROM (VALUES (NULL::varchar)) AS missing (project_id)
    CROSS JOIN LATERAL (SELECT id, project_id FROM public.repositories) AS held
  ) AS repository ON repository.id = file.repository_id
) ON file.id = chunk.code_file_id
GROUP BY 1, 2, 3;

-- gather: every project_id, with the rows of each table that hold it
CREATE TEMPORARY TABLE project_ids ON COMMIT DROP AS
SELECT held.table_name, held.project_id, held.rows
FROM (VALUES (NULL::varchar)) AS missing (project_id)
CROSS JOIN LATERAL (
  SELECT 'repositories' AS table_name, project_id, count(*) AS rows FROM public.repositories GROUP BY project_id
) AS held
UNION ALL
SELECT 'code_chunks', project_id, sum(chunks)::bigint FROM chunk_projects GROUP BY project_id;

-- check: V1.1 repositories.project_id is varchar(50) not null default 'default'
-- shown as: project_id column exists in repositories (VARCHAR(50), NOT NULL, DEFAULT 'default')
SELECT expected.column_name, found.data_type, found.character_maximum_length, found.is_nullable, found.column_default
FROM (VALUES ('project_id')) AS expected (column_name)
LEFT JOIN information_schema.columns AS found
  ON found.table_schema = 'public' AND found.table_name = 'repositories' AND found.column_name = expected.column_name
WHERE (found.data_type, found.character_maximum_length, found.is_nullable, found.column_default)
  IS DISTINCT FROM ('character varying', 50, 'NO', '''default''::character varying');

-- check: V1.2 code_chunks.project_id is varchar(50) not null without default
-- shown as: project_id column exists in code_chunks (VARCHAR(50), NOT NULL)
SELECT expected.column_name, found.data_type, found.character_maximum_length, found.is_nullable, found.column_default
FROM (VALUES ('project_id')) AS expected (column_name)
LEFT JOIN information_schema.columns AS found
  ON found.table_schema = 'public' AND found.table_name = 'code_chunks' AND found.column_name = expected.column_name
WHERE (found.data_type, found.character_maximum_length, found.is_nullable, found.column_default)
  IS DISTINCT FROM ('character varying', 50, 'NO', NULL);

-- check: V2.1 CHECK constraints exist on both tables
-- shown as: CHECK constraints exist (2 found)
SELECT expected.table_name, expected.constraint_name
FROM (VALUES
  ('repositories', 'check_repositories_project_id'),
  ('code_chunks', 'check_code_chunks_project_id')
) AS expected (table_name, constraint_name)
WHERE NOT EXISTS (
  SELECT FROM pg_constraint
  WHERE conrelid = to_regclass(format('public.%I', expected.table_name))
    AND conname = expected.constraint_name AND contype = 'c'
);

-- check: V2.2 both constraints are validated, contain the pattern and decide every example rightly
-- shown as: CHECK constraints exist (2 found)
-- query_to_xml evaluates the constraint's own expression over the examples, without writing a row.
SELECT expected.table_name, expected.constraint_name, found.convalidated,
  position('^[a-z0-9-]{1,50}$' IN found.definition) > 0 AS has_pattern,
  position('<wrong>' IN found.misjudged) = 0 AS decides_rightly
FROM (VALUES
  ('repositories', 'check_repositories_project_id'),
  ('code_chunks', 'check_code_chunks_project_id')
) AS expected (table_name, constraint_name)
LEFT JOIN LATERAL (
  SELECT pg_get_constraintdef(oid) AS definition, convalidated, query_to_xml($query$
    SELECT project_id AS wrong
    FROM (VALUES
      ('default', true), ('my-project', true), ('proj-123', true), ('a', true), ('7', true),
      ('test-2025-q1', true), (repeat('a', 50), true),
      ('My-Project', false), ('my_project', false), ('my project', false), ('-my-project', false),
      ('my-project-', false), ('my--project', false), ('-', false), ('', false), (repeat('a', 51), false),
      ('''; DROP TABLE repositories; --', false), ('../../../etc/passwd', false), ('project@#$%', false),
      (E'default\n', false)
    ) AS example (project_id, valid)
    WHERE ($query$ || pg_get_expr(conbin, conrelid) || $query$) IS DISTINCT FROM valid
  $query$, false, false, '')::text AS misjudged
  FROM pg_constraint
  JOIN pg_attribute AS judged ON judged.attrelid = conrelid AND judged.attname = 'project_id'
  WHERE conrelid = to_regclass(format('public.%I', expected.table_name))
    AND conname = expected.constraint_name AND contype = 'c' AND conkey = ARRAY[judged.attnum]
) AS found ON true
WHERE (
  found.convalidated
  AND position('^[a-z0-9-]{1,50}$' IN found.definition) > 0
  AND position('<wrong>' IN found.misjudged) = 0
) IS NOT TRUE;

-- check: V3.1 idx_project_repository on repositories (project_id, id) exists, is valid and ready
-- shown as: Performance index exists (idx_project_repository)
SELECT expected.definition AS expected, pg_get_indexdef(found.indexrelid) AS found, found.indisvalid, found.indisready
FROM (VALUES (
  'CREATE INDEX idx_project_repository ON public.repositories USING btree (project_id, id)'
)) AS expected (definition)
LEFT JOIN pg_index AS found ON found.indexrelid = to_regclass('public.idx_project_repository')
WHERE (pg_get_indexdef(found.indexrelid) = expected.definition AND found.indisvalid AND found.indisready) IS NOT TRUE;

-- check: V4.1 all nine tables are gone from public
-- shown as: Unused tables dropped (0 of 9 tables found)
SELECT tablename AS table_name
FROM pg_tables
WHERE schemaname = 'public' AND tablename IN (
  'archived_work_items', 'work_item_deployment_links', 'vendor_deployment_links', 'work_item_dependencies',
  'future_enhancements', 'project_configuration', 'deployment_events', 'vendor_extractors', 'tasks'
);

-- check: V4.2 core tables are preserved
-- shown as: Unused tables dropped (0 of 9 tables found)
SELECT expected.table_name
FROM (VALUES ('repositories'), ('code_files'), ('code_chunks')) AS expected (table_name)
WHERE NOT EXISTS (
  SELECT FROM pg_tables WHERE schemaname = 'public' AND tablename = expected.table_name
);

-- check: V5.1 every chunk has the project_id of its repository
-- shown as: Data integrity check (all code_chunks have matching repository project_id)
SELECT chunk.code_file_id, chunk.project_id, repository.id AS repository_id,
  repository.project_id AS repository_project_id
FROM (
  SELECT held.* FROM (VALUES (NULL::varchar)) AS missing (project_id)
  CROSS JOIN LATERAL (SELECT code_file_id, project_id FROM public.code_chunks) AS held
) AS chunk
JOIN public.code_files AS file ON file.id = chunk.code_file_id
JOIN (
  SELECT held.* FROM (VALUES (NULL::varchar)) AS missing (project_id)
  CROSS JOIN LATERAL (SELECT id, project_id FROM public.repositories) AS held
) AS repository ON repository.id = file.repository_id
WHERE (chunk.project_id = repository.project_id) IS NOT TRUE AND EXISTS (
  SELECT FROM chunk_projects WHERE has_repository AND (project_id = repository_project_id) IS NOT TRUE
);

-- check: V5.3 no project_id is null
-- shown as: Data integrity check (all code_chunks have matching repository project_id)
SELECT table_name, rows FROM project_ids WHERE project_id IS NULL;

-- check: V5.4 the upgrade inserted and deleted no row of repositories and code_chunks
-- shown as: Data integrity check (all code_chunks have matching repository project_id)
SELECT counted.relation, counted.inserted, counted.deleted
FROM (
  SELECT report -> 'rows' AS counters
  FROM backstop.history
  WHERE direction = 'upgrade' AND outcome = 'upgraded' AND report -> 'revisions' @> '["002"]'
  ORDER BY id DESC
  LIMIT 1
) AS latest
CROSS JOIN LATERAL jsonb_to_recordset(latest.counters) AS counted (relation text, inserted bigint, deleted bigint)
WHERE counted.relation IN ('public.repositories', 'public.code_chunks')
  AND (counted.inserted <> 0 OR counted.deleted <> 0);

-- check: V6.1 every project_id matches ^[a-z0-9-]{1,50}$
-- shown as: Pattern validation (all project_id values match ^[a-z0-9-]{1,50}$)
SELECT * FROM project_ids WHERE (project_id ~ '^[a-z0-9-]{1,50}$') IS NOT TRUE;

-- check: V6.2 no project_id has an upper case letter
-- shown as: Pattern validation (all project_id values match ^[a-z0-9-]{1,50}$)
SELECT * FROM project_ids WHERE (project_id = lower(project_id)) IS NOT TRUE;

-- check: V6.3 no project_id has an invalid character or a leading, trailing or double hyphen
-- shown as: Pattern validation (all project_id values match ^[a-z0-9-]{1,50}$)
SELECT * FROM project_ids WHERE (project_id !~ '[^a-z0-9-]|^-|-$|--') IS NOT TRUE;

-- check: V6.4 every project_id is 1 to 50 characters long
-- shown as: Pattern validation (all project_id values match ^[a-z0-9-]{1,50}$)
SELECT * FROM project_ids WHERE (length(project_id) BETWEEN 1 AND 50) IS NOT TRUE;

-- check: V5.2 no chunk is orphaned
-- shown as: No orphaned code_chunks
SELECT chunk.code_file_id
FROM public.code_chunks AS chunk
WHERE EXISTS (SELECT FROM chunk_projects WHERE NOT has_repository) AND NOT EXISTS (
  SELECT FROM public.code_files AS file
  JOIN public.repositories AS repository ON repository.id = file.repository_id
  WHERE file.id = chunk.code_file_id
);
