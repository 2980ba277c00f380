-- Data that a downgrade of revision 001 would lose.
--
-- Later revisions may be applied too, so each table is counted in the schema where it is, if it exists.

-- check: V9.1 no row would be lost with the tables of this revision
SELECT held.relation, held.rows
FROM unnest(ARRAY['repositories', 'code_files', 'code_chunks', 'embeddings', 'tasks']) AS dropped (table_name)
CROSS JOIN unnest(ARRAY['public', 'retired_002']) AS place (schema_name)
CROSS JOIN LATERAL (
  SELECT format('%I.%I', schema_name, table_name) AS relation
) AS named
CROSS JOIN LATERAL (
  SELECT named.relation, substring(
    query_to_xml('SELECT count(*) AS rows FROM ' || to_regclass(named.relation), false, false, '')::text
    FROM '<rows>(\d+)</rows>'
  )::bigint AS rows
) AS held
WHERE held.rows > 0;
