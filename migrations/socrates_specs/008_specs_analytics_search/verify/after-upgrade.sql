-- What must hold once revision 008 is applied, numbered by the design patterns 1 to 6.
--
-- Each check lists the tables of this revision alone: it holds at every later one, and beside the tables and
-- columns of others.

-- check: V1.1 every id is a uuid that the server makes
SELECT expected.table_name, found.data_type, found.is_nullable, found.column_default
FROM (VALUES ('analytics_metrics'), ('document_chunks'), ('notification_preferences')) AS expected (table_name)
LEFT JOIN information_schema.columns AS found
  ON found.table_schema = 'public' AND found.table_name = expected.table_name AND found.column_name = 'id'
WHERE (found.data_type, found.is_nullable, found.column_default)
  IS DISTINCT FROM ('uuid', 'NO', 'gen_random_uuid()');

-- check: V1.2 the primary key of every table is its id
SELECT expected.table_name, pg_get_constraintdef(found.oid) AS found
FROM (VALUES ('analytics_metrics'), ('document_chunks'), ('notification_preferences')) AS expected (table_name)
LEFT JOIN pg_constraint AS found
  ON found.conrelid = to_regclass(format('public.%I', expected.table_name)) AND found.contype = 'p'
WHERE pg_get_constraintdef(found.oid) IS DISTINCT FROM 'PRIMARY KEY (id)';

-- check: V2.1 every timestamp has a time zone
SELECT expected.table_name, listed.column_name, found.data_type
FROM (VALUES
  ('analytics_metrics', ARRAY['period_start', 'period_end', 'created_at']),
  ('document_chunks', ARRAY['created_at', 'updated_at']),
  ('notification_preferences', ARRAY['created_at', 'updated_at'])
) AS expected (table_name, column_names)
CROSS JOIN unnest(expected.column_names) AS listed (column_name)
LEFT JOIN information_schema.columns AS found
  ON found.table_schema = 'public' AND found.table_name = expected.table_name AND found.column_name = listed.column_name
WHERE found.data_type IS DISTINCT FROM 'timestamp with time zone';

-- check: V2.2 created_at and updated_at are not null default now()
SELECT expected.table_name, listed.column_name, found.is_nullable, found.column_default
FROM (VALUES
  ('analytics_metrics', ARRAY['created_at']),
  ('document_chunks', ARRAY['created_at', 'updated_at']),
  ('notification_preferences', ARRAY['created_at', 'updated_at'])
) AS expected (table_name, column_names)
CROSS JOIN unnest(expected.column_names) AS listed (column_name)
LEFT JOIN information_schema.columns AS found
  ON found.table_schema = 'public' AND found.table_name = expected.table_name AND found.column_name = listed.column_name
WHERE (found.is_nullable, found.column_default) IS DISTINCT FROM ('NO', 'now()');

-- check: V2.3 a trigger keeps every updated_at
-- 19: before an update, for each row.
SELECT expected.table_name
FROM (VALUES ('document_chunks'), ('notification_preferences')) AS expected (table_name)
WHERE NOT EXISTS (
  SELECT FROM pg_trigger
  WHERE tgrelid = to_regclass(format('public.%I', expected.table_name))
    AND tgfoid = to_regproc('public.set_updated_at') AND tgtype = 19 AND tgattr = '' AND tgenabled IN ('O', 'A')
);

-- check: V3.1 every foreign key stands, and says what a delete does
SELECT expected.table_name, expected.column_name, expected.referenced_table, expected.on_delete,
  pg_get_constraintdef(found.oid) AS found
FROM (VALUES
  ('document_chunks', 'document_id', 'knowledge_base_documents', 'CASCADE'),
  ('document_chunks', 'project_id', 'projects', 'CASCADE')
) AS expected (table_name, column_name, referenced_table, on_delete)
LEFT JOIN pg_attribute AS referring
  ON referring.attrelid = to_regclass(format('public.%I', expected.table_name))
  AND referring.attname = expected.column_name
LEFT JOIN pg_constraint AS found
  ON found.conrelid = referring.attrelid AND found.conkey = ARRAY[referring.attnum] AND found.contype = 'f'
  AND found.confrelid = to_regclass(format('public.%I', expected.referenced_table))
WHERE (
  found.convalidated
  AND expected.on_delete = CASE found.confdeltype
    WHEN 'c' THEN 'CASCADE' WHEN 'r' THEN 'RESTRICT' WHEN 'n' THEN 'SET NULL'
  END
) IS NOT TRUE;

-- check: V4.1 every reference to a user says that it crosses databases
SELECT expected.table_name, listed.column_name, col_description(found.attrelid, found.attnum) AS comment
FROM (VALUES
  ('notification_preferences', ARRAY['user_id'])
) AS expected (table_name, column_names)
CROSS JOIN unnest(expected.column_names) AS listed (column_name)
LEFT JOIN pg_attribute AS found
  ON found.attrelid = to_regclass(format('public.%I', expected.table_name)) AND found.attname = listed.column_name
WHERE (
  found.atttypid = 'uuid'::regtype
  AND col_description(found.attrelid, found.attnum) LIKE '%users.id in socrates_auth (no FK - cross-database)'
) IS NOT TRUE;

-- check: V4.2 no reference to a user has a foreign key
SELECT expected.table_name, listed.column_name, found.conname AS constraint_name
FROM (VALUES
  ('notification_preferences', ARRAY['user_id'])
) AS expected (table_name, column_names)
CROSS JOIN unnest(expected.column_names) AS listed (column_name)
JOIN pg_attribute AS referring
  ON referring.attrelid = to_regclass(format('public.%I', expected.table_name))
  AND referring.attname = listed.column_name
JOIN pg_constraint AS found
  ON found.conrelid = referring.attrelid AND referring.attnum = ANY (found.conkey) AND found.contype = 'f';

-- check: V5.1 every flexible column is jsonb default '{}'
SELECT expected.table_name, listed.column_name, found.data_type, found.column_default
FROM (VALUES
  ('analytics_metrics', ARRAY['metadata']),
  ('document_chunks', ARRAY['metadata']),
  ('notification_preferences', ARRAY['metadata'])
) AS expected (table_name, column_names)
CROSS JOIN unnest(expected.column_names) AS listed (column_name)
LEFT JOIN information_schema.columns AS found
  ON found.table_schema = 'public' AND found.table_name = expected.table_name AND found.column_name = listed.column_name
WHERE (found.data_type, found.column_default) IS DISTINCT FROM ('jsonb', '''{}''::jsonb');

-- check: V6.1 every key, reference, status and date column is indexed
-- Indexed is a column that a whole index begins with.
SELECT expected.table_name, listed.column_name
FROM (VALUES
  ('analytics_metrics', ARRAY['id', 'period_start', 'period_end', 'created_at']),
  ('document_chunks', ARRAY['id', 'document_id', 'project_id', 'created_at', 'updated_at']),
  ('notification_preferences', ARRAY['id', 'user_id', 'created_at', 'updated_at'])
) AS expected (table_name, column_names)
CROSS JOIN unnest(expected.column_names) AS listed (column_name)
WHERE NOT EXISTS (
  SELECT FROM pg_index
  JOIN pg_attribute AS first ON first.attrelid = indrelid AND first.attnum = indkey[0]
  WHERE indrelid = to_regclass(format('public.%I', expected.table_name)) AND first.attname = listed.column_name
    AND indisvalid AND indpred IS NULL
);

-- check: V6.2 every frequently filtered column is indexed
-- Indexed is a column that a whole index begins with.
SELECT expected.table_name, listed.column_name
FROM (VALUES
  ('analytics_metrics', ARRAY['metric_name', 'dimension_type', 'dimension_value', 'period']),
  ('document_chunks', ARRAY['chunk_type', 'has_embedding', 'search_count']),
  ('notification_preferences', ARRAY['notification_type', 'email_enabled', 'in_app_enabled'])
) AS expected (table_name, column_names)
CROSS JOIN unnest(expected.column_names) AS listed (column_name)
WHERE NOT EXISTS (
  SELECT FROM pg_index
  JOIN pg_attribute AS first ON first.attrelid = indrelid AND first.attnum = indkey[0]
  WHERE indrelid = to_regclass(format('public.%I', expected.table_name)) AND first.attname = listed.column_name
    AND indisvalid AND indpred IS NULL
);

-- check: V6.3 every common combination of columns is indexed
SELECT expected.table_name, expected.column_names
FROM (VALUES
  ('analytics_metrics', ARRAY['metric_name', 'period_start'])
) AS expected (table_name, column_names)
WHERE NOT EXISTS (
  SELECT FROM pg_index
  WHERE indrelid = to_regclass(format('public.%I', expected.table_name)) AND indisvalid AND indpred IS NULL
    AND expected.column_names = (ARRAY(
      SELECT attname::text
      FROM unnest(indkey) WITH ORDINALITY AS part (attnum, place)
      JOIN pg_attribute USING (attnum)
      WHERE attrelid = indrelid
      ORDER BY place
    ))[:cardinality(expected.column_names)]
);
