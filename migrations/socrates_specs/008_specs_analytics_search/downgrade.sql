-- Rollback: Analytics & search
-- Revision: 008
-- Locks: public.knowledge_base_documents, public.projects, public.analytics_metrics, public.document_chunks, public.notification_preferences
--
-- Drops what 008 created, and every row in it. Without CASCADE: an object that someone else hung on these
-- tables stops the downgrade instead of vanishing with them.

-- step: Dropping the tables of analytics and search
DROP TABLE public.notification_preferences;
DROP TABLE public.document_chunks;
DROP TABLE public.analytics_metrics;
