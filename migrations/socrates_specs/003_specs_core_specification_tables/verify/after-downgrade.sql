-- Conditions that must hold after the downgrade of revision 003.

-- check: V8.1 the tables of this revision are gone
SELECT tablename AS table_name
FROM pg_tables
WHERE schemaname = 'public' AND tablename IN (
  'projects', 'sessions', 'questions', 'specifications', 'conversation_history', 'conflicts'
);

-- check: V8.2 the trigger function is gone
SELECT oid::regprocedure::text AS function_name
FROM pg_proc
WHERE pronamespace = 'public'::regnamespace AND proname = 'set_updated_at';
