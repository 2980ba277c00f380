-- What must hold once revision 009 is taken back.

-- check: V8.1 the tables of this revision are gone
SELECT tablename AS table_name
FROM pg_tables
WHERE schemaname = 'public' AND tablename IN ('activity_logs', 'project_invitations');
