-- Conditions that must hold before revision 009 is applied.

-- check: V0.2 no table of this revision exists already
-- The refused run reports the columns error, message, detail and hint.
SELECT tablename AS table_name,
  'MigrationFailed' AS error,
  'Tables of revision 009 exist already' AS message,
  format('Found in schema public: %s', string_agg(tablename::text, ', ') OVER standing) AS detail,
  'If the database is certainly at revision 009 already, run: npx backstop stamp 009 --database socrates_specs' AS hint
FROM pg_tables
WHERE schemaname = 'public' AND tablename IN ('activity_logs', 'project_invitations')
WINDOW standing AS (ORDER BY tablename ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
ORDER BY tablename;
