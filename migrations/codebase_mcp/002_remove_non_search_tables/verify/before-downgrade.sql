-- Data that a downgrade of revision 002 would lose, and objects that would stop it.
--
-- The nine tables are not part of it: before finalize they come back with every row, after it the rows are gone
-- already. A project_id column that the upgrade found stays: the comment on its constraint says so.
-- If a column is gone already, its name resolves to the null of missing. The values themselves are not reported.

-- check: V9.1 no project_id would be lost with the columns of this revision
SELECT 'repositories' AS table_name, count(*) AS project_ids, sum(held.rows)::bigint AS rows
FROM (VALUES (NULL::varchar)) AS missing (project_id)
CROSS JOIN LATERAL (
  SELECT project_id, count(*) AS rows FROM public.repositories GROUP BY project_id
) AS held
WHERE held.project_id <> 'default' AND EXISTS (
  SELECT FROM pg_constraint
  WHERE conrelid = 'public.repositories'::regclass AND conname = 'check_repositories_project_id'
    AND obj_description(oid, 'pg_constraint')
      IS DISTINCT FROM 'Revision 002 found the column, so its downgrade keeps it.'
)
HAVING count(*) > 0;

-- check: V9.2 every chunk has the default project_id, or that of its repository
-- The next upgrade gives these to the chunks again; any other value would be lost.
SELECT 'code_chunks' AS table_name, count(*) AS rows
FROM (VALUES (NULL::varchar)) AS missing (project_id)
CROSS JOIN LATERAL (
  SELECT chunk.project_id, repository.project_id AS repository_project_id
  FROM (SELECT code_file_id, project_id FROM public.code_chunks) AS chunk
  LEFT JOIN public.code_files AS file ON file.id = chunk.code_file_id
  LEFT JOIN (SELECT id, project_id FROM public.repositories) AS repository ON repository.id = file.repository_id
) AS held
WHERE held.project_id NOT IN ('default', coalesce(held.repository_project_id, 'default')) AND EXISTS (
  SELECT FROM pg_constraint
  WHERE conrelid = 'public.code_chunks'::regclass AND conname = 'check_code_chunks_project_id'
    AND obj_description(oid, 'pg_constraint')
      IS DISTINCT FROM 'Revision 002 found the column, so its downgrade keeps it.'
)
HAVING count(*) > 0;

-- check: V9.3 no other object needs the columns of this revision: a view or a policy would stop the downgrade
SELECT DISTINCT concat_ws(' ', needing.type, needing.identity) AS object,
  format('Drop it first, and make it again afterwards if it can do without: DROP %s %s;', upper(needing.type),
    needing.identity) AS hint
FROM pg_depend
JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid AND attname = 'project_id'
JOIN pg_constraint AS mark ON mark.conrelid = attrelid
  AND mark.conname IN ('check_repositories_project_id', 'check_code_chunks_project_id')
  AND obj_description(mark.oid, 'pg_constraint')
    IS DISTINCT FROM 'Revision 002 found the column, so its downgrade keeps it.'
LEFT JOIN pg_rewrite ON classid = 'pg_rewrite'::regclass AND pg_rewrite.oid = objid AND rulename = '_RETURN'
CROSS JOIN LATERAL pg_identify_object(
  CASE WHEN ev_class IS NULL THEN classid ELSE 'pg_class'::regclass END, coalesce(ev_class, objid), 0
) AS needing
WHERE refclassid = 'pg_class'::regclass AND deptype = 'n'
  AND refobjid IN ('public.repositories'::regclass, 'public.code_chunks'::regclass)
  AND needing.type IN ('view', 'materialized view', 'policy', 'trigger', 'rule', 'function');
