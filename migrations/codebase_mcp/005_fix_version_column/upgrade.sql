-- Fix version column for optimistic locking
-- Revision: 005
-- Revises: 003a
-- Create Date: 2025-10-10
-- Locks: public.vendor_extractors, public.tasks
-- Scans: public.vendor_extractors
-- Search path: pg_catalog, pg_temp
--
-- With optimistic locking the writer always says which version it writes; a default would hide a writer
-- that forgot. A vendor's name becomes unique without regard to case.

-- step: Dropping the defaults of the version columns
ALTER TABLE public.vendor_extractors ALTER COLUMN version DROP DEFAULT;
ALTER TABLE public.tasks ALTER COLUMN version DROP DEFAULT;

-- step: Making vendor names unique without regard to case
DROP INDEX public.idx_vendor_name;
CREATE UNIQUE INDEX idx_vendor_name_lower ON public.vendor_extractors (lower(name));
