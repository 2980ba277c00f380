-- Add missing work item columns
-- Revision: 003a
-- Revises: 003
-- Create Date: 2025-10-10
-- Locks: public.tasks
-- Search path: pg_catalog, pg_temp
--
-- Work items say on which branch, in which commit and in which pull request they are done, and by whom
-- they were made: archived_work_items had these columns from the start, tasks did not.

-- step: Adding the missing columns to tasks
ALTER TABLE public.tasks
  ADD COLUMN branch_name varchar(100),
  ADD COLUMN commit_hash varchar(40),
  ADD COLUMN pr_number integer,
  ADD COLUMN metadata jsonb,
  ADD COLUMN created_by varchar(100) NOT NULL DEFAULT 'system';
