-- What must hold once revision 005 is taken back.

-- check: V8.1 the tables of this revision are gone
SELECT tablename AS table_name
FROM pg_tables
WHERE schemaname = 'public' AND tablename IN (
  'quality_metrics', 'user_behavior_patterns', 'question_effectiveness', 'knowledge_base_documents'
);
