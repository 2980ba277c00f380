-- Rollback: Fix version column for optimistic locking
-- Revision: 005
-- Locks: public.vendor_extractors, public.tasks
--
-- Gives the version columns their defaults back and lets vendor names differ in case only.

-- step: Making vendor names unique with regard to case
DROP INDEX public.idx_vendor_name_lower;
CREATE UNIQUE INDEX idx_vendor_name ON public.vendor_extractors (name);

-- step: Restoring the defaults of the version columns
ALTER TABLE public.tasks ALTER COLUMN version SET DEFAULT 1;
ALTER TABLE public.vendor_extractors ALTER COLUMN version SET DEFAULT 1;
