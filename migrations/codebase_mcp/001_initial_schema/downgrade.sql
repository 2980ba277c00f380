-- Rollback: Initial schema
-- Revision: 001
-- Locks: public.repositories, public.code_files, public.code_chunks, public.embeddings, public.tasks
--
-- Drops what 001 created, and every row in it. Without CASCADE, so if an object of
-- someone else depends on these tables, the downgrade stops and drops nothing.

-- step: Dropping the tasks table
DROP TABLE public.tasks;

-- step: Dropping the search tables
DROP TABLE public.embeddings;
DROP TABLE public.code_chunks;
DROP TABLE public.code_files;
DROP TABLE public.repositories;
