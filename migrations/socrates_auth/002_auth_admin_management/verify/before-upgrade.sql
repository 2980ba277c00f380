-- Conditions that must hold before revision 002 is applied.

-- check: V0.2 no table of this revision exists already
-- The refused run reports the columns error, message, detail and hint.
SELECT tablename AS table_name,
  'MigrationFailed' AS error,
  'Tables of revision 002 exist already' AS message,
  format('Found in schema public: %s', string_agg(tablename::text, ', ') OVER standing) AS detail,
  'If the database is certainly at revision 002 already, run: npx backstop stamp 002 --database socrates_auth' AS hint
FROM pg_tables
WHERE schemaname = 'public' AND tablename IN ('admin_roles', 'admin_users', 'admin_audit_logs')
WINDOW standing AS (ORDER BY tablename ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
ORDER BY tablename;
