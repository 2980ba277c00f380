-- Data that a downgrade of revision 002 would lose.
--
-- The nine tables are not part of it: before finalize they come back with every row, after it the rows are gone
-- already. A project_id column that the upgrade found stays: the comment on its constraint says so.

-- check: V9.1 no project_id would be lost with the columns of this revision
-- Only repositories is read, which is small: chunks hold their repositories' values, and they are the largest table.
-- If the column is gone already, the name resolves to the null of missing.
-- The values themselves are not reported.
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
