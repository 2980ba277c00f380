-- Rollback: API & LLM integration
-- Revision: 007
-- Locks: public.projects, public.api_keys, public.llm_usage_tracking, public.subscriptions, public.invoices
--
-- Drops what 007 created, and every row in it. Without CASCADE, so if an object of
-- someone else depends on these tables, the downgrade stops and drops nothing.

-- step: Dropping the tables of API and LLM integration
DROP TABLE public.invoices;
DROP TABLE public.subscriptions;
DROP TABLE public.llm_usage_tracking;
DROP TABLE public.api_keys;
