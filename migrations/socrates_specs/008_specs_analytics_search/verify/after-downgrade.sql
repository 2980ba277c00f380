-- Conditions that must hold after the downgrade of revision 008.

-- check: V8.1 the tables of this revision are gone
SELECT tablename AS table_name
FROM pg_tables
WHERE schemaname = 'public' AND tablename IN ('analytics_metrics', 'document_chunks', 'notification_preferences');
