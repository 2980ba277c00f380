-- Conditions that must hold once revision 006 is applied, numbered by the design patterns 1 to 6.
--
-- The checks know only the tables of this revision, so they hold at every later revision too, and beside the tables
-- and columns of others.

-- gather: every column that a pattern applies to, by its kind, as it is in the database
CREATE TEMPORARY TABLE patterned ON COMMIT DROP AS
SELECT named.*, attrelid, attnum, format_type(atttypid, NULL) AS data_type, attnotnull AS not_null,
  pg_get_expr(adbin, adrelid) AS column_default,
  -- A column is indexed if an index over all rows begins with it.
  EXISTS (
    SELECT FROM pg_index WHERE indrelid = attrelid AND indkey[0] = attnum AND indisvalid AND indpred IS NULL
  ) AS indexed
FROM (
  SELECT table_name, 'reference' AS kind, column_name, referenced_table, on_delete
  FROM (VALUES
    ('team_members', 'team_id', 'teams', 'CASCADE'),
    ('project_shares', 'project_id', 'projects', 'CASCADE'),
    ('project_shares', 'shared_with_team_id', 'teams', 'CASCADE')
  ) AS reference (table_name, column_name, referenced_table, on_delete)
  UNION ALL
  SELECT table_name, kind, column_name, NULL, NULL
  FROM (VALUES
    ('teams', 'created_at updated_at', 'owner_id', 'settings metadata', 'status', 'name'),
    ('team_members', 'joined_at created_at updated_at', 'user_id invited_by_id', 'metadata', 'status', 'role'),
    ('project_shares', 'expiry_date last_accessed_at created_at updated_at', 'shared_with_user_id shared_by_id',
      'metadata', '', 'permission_level access_type')
  ) AS listed (table_name, dates, users, flexible, states, filtered)
  CROSS JOIN LATERAL (VALUES
    ('id', 'id'), ('date', dates), ('user', users), ('flexible', flexible), ('state', states), ('filtered', filtered)
  ) AS part (kind, column_names)
  CROSS JOIN LATERAL string_to_table(column_names, ' ') AS column_name
) AS named
LEFT JOIN pg_attribute ON attrelid = to_regclass('public.' || table_name) AND attname = column_name
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum;

-- check: V1.1 every id is a uuid that the server makes
SELECT table_name, data_type, not_null, column_default FROM patterned
WHERE kind = 'id' AND (data_type, not_null, column_default) IS DISTINCT FROM ('uuid', true, 'gen_random_uuid()');

-- check: V1.2 the primary key of every table is its id
SELECT table_name, pg_get_constraintdef(oid) AS found
FROM patterned LEFT JOIN pg_constraint ON conrelid = attrelid AND contype = 'p'
WHERE kind = 'id' AND pg_get_constraintdef(oid) IS DISTINCT FROM 'PRIMARY KEY (id)';

-- check: V2.1 every timestamp has a time zone
SELECT table_name, column_name, data_type FROM patterned
WHERE kind = 'date' AND data_type IS DISTINCT FROM 'timestamp with time zone';

-- check: V2.2 created_at and updated_at are not null default now()
SELECT table_name, column_name, not_null, column_default FROM patterned
WHERE column_name IN ('created_at', 'updated_at') AND (not_null, column_default) IS DISTINCT FROM (true, 'now()');

-- check: V2.3 a trigger keeps every updated_at
-- 19: before an update, for each row.
SELECT table_name FROM patterned
WHERE column_name = 'updated_at' AND NOT EXISTS (
  SELECT FROM pg_trigger
  WHERE tgrelid = attrelid AND tgfoid = to_regproc('public.set_updated_at')
    AND tgtype = 19 AND tgattr = '' AND tgenabled IN ('O', 'A')
);

-- check: V3.1 every foreign key exists, and says what a delete does
SELECT table_name, column_name, referenced_table, on_delete, pg_get_constraintdef(oid) AS found
FROM patterned
LEFT JOIN pg_constraint ON conrelid = attrelid AND conkey = ARRAY[attnum] AND contype = 'f'
  AND confrelid = to_regclass('public.' || referenced_table)
WHERE kind = 'reference' AND (
  convalidated
  AND on_delete = CASE confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'r' THEN 'RESTRICT' WHEN 'n' THEN 'SET NULL' END
) IS NOT TRUE;

-- check: V4.1 every reference to a user says that it crosses databases
SELECT table_name, column_name, col_description(attrelid, attnum) AS comment FROM patterned
WHERE kind = 'user' AND (
  data_type = 'uuid'
  AND col_description(attrelid, attnum) LIKE '%users.id in socrates_auth (no FK - cross-database)'
) IS NOT TRUE;

-- check: V4.2 no reference to a user has a foreign key
SELECT table_name, column_name, conname AS constraint_name
FROM patterned JOIN pg_constraint ON conrelid = attrelid AND attnum = ANY (conkey) AND contype = 'f'
WHERE kind = 'user';

-- check: V5.1 every flexible column is jsonb default '{}'
SELECT table_name, column_name, data_type, column_default FROM patterned
WHERE kind = 'flexible' AND (data_type, column_default) IS DISTINCT FROM ('jsonb', '''{}''::jsonb');

-- check: V6.1 every key, reference, status and date column is indexed
SELECT table_name, column_name FROM patterned WHERE kind NOT IN ('flexible', 'filtered') AND NOT indexed;

-- check: V6.2 every frequently filtered column is indexed
SELECT table_name, column_name FROM patterned WHERE kind = 'filtered' AND NOT indexed;
