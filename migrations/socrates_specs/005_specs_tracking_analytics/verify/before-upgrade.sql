-- Conditions that must hold before revision 005 is applied.

-- check: V0.2 no table of this revision exists already
-- The refused run reports the columns error, message, detail and hint.
SELECT tablename AS table_name,
  'MigrationFailed' AS error,
  'Tables of revision 005 exist already' AS message,
  format('Found in schema public: %s', string_agg(tablename::text, ', ') OVER standing) AS detail,
  'If the database is certainly at revision 005 already, run: npx backstop stamp 005 --database socrates_specs' AS hint
FROM pg_tables
WHERE schemaname = 'public' AND tablename IN (
  'quality_metrics', 'user_behavior_patterns', 'question_effectiveness', 'knowledge_base_documents'
)
WINDOW standing AS (ORDER BY tablename ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
ORDER BY tablename;
