-- Data that a downgrade of revision 001 would lose.
--
-- Later revisions may be applied too, so each table is counted in the schema where it is, if it exists.

-- check: V9.1 no row would be lost with the tables of this revision
SELECT held.relation, held.rows
FROM unnest(ARRAY[
  'public.repositories', 'public.code_files', 'public.code_chunks', 'public.embeddings', 'public.tasks',
  'retired_002.repositories', 'retired_002.code_files', 'retired_002.code_chunks', 'retired_002.embeddings',
  'retired_002.tasks'
]) AS place (relation)
CROSS JOIN LATERAL (
  SELECT place.relation, substring(
    query_to_xml('SELECT count(*) AS rows FROM ' || to_regclass(place.relation), false, false, '')::text
    FROM '<rows>(\d+)</rows>'
  )::bigint AS rows
) AS held
WHERE held.rows > 0;
