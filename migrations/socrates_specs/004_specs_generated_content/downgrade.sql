-- Rollback: Generated content
-- Revision: 004
-- Locks: public.projects, public.generated_projects, public.generated_files
--
-- Drops what 004 created, and every row in it. Without CASCADE, so if an object of
-- someone else depends on these tables, the downgrade stops and drops nothing.

-- step: Dropping the tables of generated content
DROP TABLE public.generated_files;
DROP TABLE public.generated_projects;
