-- Conditions that must hold after the downgrade of revision 005.

-- check: V8.1 the tables of this revision are gone
SELECT tablename AS table_name
FROM pg_tables
WHERE schemaname = 'public' AND tablename IN (
  'quality_metrics', 'user_behavior_patterns', 'question_effectiveness', 'knowledge_base_documents'
);
