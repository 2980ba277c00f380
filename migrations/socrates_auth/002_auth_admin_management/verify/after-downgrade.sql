-- Conditions that must hold after the downgrade of revision 002.

-- check: V8.1 the tables of this revision are gone
SELECT tablename AS table_name
FROM pg_tables
WHERE schemaname = 'public' AND tablename IN ('admin_roles', 'admin_users', 'admin_audit_logs');
