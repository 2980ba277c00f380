-- Conditions that must hold after the downgrade of revision 006.

-- check: V8.1 the tables of this revision are gone
SELECT tablename AS table_name
FROM pg_tables
WHERE schemaname = 'public' AND tablename IN ('teams', 'team_members', 'project_shares');
