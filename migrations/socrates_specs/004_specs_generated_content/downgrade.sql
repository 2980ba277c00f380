-- Rollback: Generated content
-- Revision: 004
-- Locks: public.projects, public.generated_projects, public.generated_files
--
-- Drops what 004 created, and every row in it. Without CASCADE: an object that someone else hung on these
-- tables stops the downgrade instead of vanishing with them.

-- step: Dropping the tables of generated content
DROP TABLE public.generated_files;
DROP TABLE public.generated_projects;
