-- Rollback: Add missing work item columns
-- Revision: 003a
-- Locks: public.tasks
--
-- Drops the five columns of tasks, with their values.

-- step: Dropping the added columns from tasks
ALTER TABLE public.tasks
  DROP COLUMN created_by,
  DROP COLUMN metadata,
  DROP COLUMN pr_number,
  DROP COLUMN commit_hash,
  DROP COLUMN branch_name;
