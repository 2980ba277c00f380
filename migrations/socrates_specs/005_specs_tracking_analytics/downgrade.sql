-- Rollback: Tracking & analytics
-- Revision: 005
-- Locks: public.projects, public.questions, public.quality_metrics, public.user_behavior_patterns, public.question_effectiveness, public.knowledge_base_documents
--
-- Drops what 005 created, and every row in it. Without CASCADE, so if an object of
-- someone else depends on these tables, the downgrade stops and drops nothing.

-- step: Dropping the tables of tracking and analytics
DROP TABLE public.knowledge_base_documents;
DROP TABLE public.question_effectiveness;
DROP TABLE public.user_behavior_patterns;
DROP TABLE public.quality_metrics;
