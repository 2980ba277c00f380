-- Data that a downgrade of revision 004 would lose.

-- check: V9.1 no row would be lost with the tables of this revision
-- query_to_xml counts the rows only if the table exists.
SELECT counted.table_name, counted.rows
FROM (
  SELECT table_name, CASE WHEN to_regclass(format('public.%I', table_name)) IS NOT NULL THEN substring(
    query_to_xml(format('SELECT count(*) AS rows FROM public.%I', table_name), false, true, '')::text
    FROM '<rows>(\d+)</rows>'
  )::bigint END AS rows
  FROM (VALUES ('generated_projects'), ('generated_files')) AS expected (table_name)
) AS counted
WHERE counted.rows > 0;
