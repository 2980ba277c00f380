-- What a downgrade of revision 002 would lose.
--
-- The nine tables are not among it: before finalize they come back with every row, after it the rows are gone
-- already. A column project_id that the upgrade found stays, as long as its record stands.

-- check: V9.1 no project_id would be lost with the columns of this revision
-- Asked of repositories alone, which are few: chunks hold their repositories' values, and to look at each of
-- them would be a pass over the largest table. Where the column is gone already, missing stands in for it.
SELECT held.project_id, held.rows
FROM (VALUES (NULL::varchar)) AS missing (project_id)
CROSS JOIN LATERAL (
  SELECT project_id, count(*) AS rows FROM public.repositories GROUP BY project_id
) AS held
WHERE held.project_id <> 'default' AND to_regclass('retired_002.found_repositories') IS NULL
ORDER BY held.rows DESC, held.project_id;
