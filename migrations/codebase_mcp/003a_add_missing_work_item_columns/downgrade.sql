-- Rollback: Add missing work item columns
-- Revision: 003a
-- Locks: public.tasks
--
-- Takes the five columns from tasks, with what was written in them.

-- step: Dropping the added columns from tasks
ALTER TABLE public.tasks
  DROP COLUMN created_by,
  DROP COLUMN metadata,
  DROP COLUMN pr_number,
  DROP COLUMN commit_hash,
  DROP COLUMN branch_name;
