-- Rollback: Project tracking
-- Revision: 003
-- Locks: public.archived_work_items, public.work_item_deployment_links, public.vendor_deployment_links, public.work_item_dependencies, public.future_enhancements, public.project_configuration, public.deployment_events, public.vendor_extractors, public.tasks
--
-- Drops the eight tables that 003 created, and every row in them, and takes its six columns from tasks.

-- step: Dropping the tables of project tracking
DROP TABLE public.archived_work_items;
DROP TABLE public.work_item_deployment_links;
DROP TABLE public.vendor_deployment_links;
DROP TABLE public.work_item_dependencies;
DROP TABLE public.future_enhancements;
DROP TABLE public.project_configuration;
DROP TABLE public.deployment_events;
DROP TABLE public.vendor_extractors;

-- step: Reducing work items to tasks
-- The indexes and constraints on these columns go with them.
ALTER TABLE public.tasks
  DROP COLUMN deleted_at,
  DROP COLUMN depth,
  DROP COLUMN path,
  DROP COLUMN parent_id,
  DROP COLUMN item_type,
  DROP COLUMN version;
