-- Conditions that must hold after the downgrade of revision 007.

-- check: V8.1 the tables of this revision are gone
SELECT tablename AS table_name
FROM pg_tables
WHERE schemaname = 'public' AND tablename IN ('api_keys', 'llm_usage_tracking', 'subscriptions', 'invoices');
