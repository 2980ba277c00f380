-- What must hold once revision 004 is taken back.

-- check: V8.1 the tables of this revision are gone
SELECT tablename AS table_name
FROM pg_tables
WHERE schemaname = 'public' AND tablename IN ('generated_projects', 'generated_files');
