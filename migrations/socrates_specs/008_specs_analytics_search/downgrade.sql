-- Rollback: Analytics & search
-- Revision: 008
-- Locks: public.knowledge_base_documents, public.projects, public.analytics_metrics, public.document_chunks, public.notification_preferences
--
-- Drops what 008 created, and every row in it. Without CASCADE, so if an object of
-- someone else depends on these tables, the downgrade stops and drops nothing.

-- step: Dropping the tables of analytics and search
DROP TABLE public.notification_preferences;
DROP TABLE public.document_chunks;
DROP TABLE public.analytics_metrics;
