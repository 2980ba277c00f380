-- Rollback: Core specification tables
-- Revision: 003
-- Locks: public.projects, public.sessions, public.questions, public.specifications, public.conversation_history, public.conflicts
--
-- Drops what 003 created, and every row in it. Without CASCADE, so if an object of
-- someone else depends on these tables, the downgrade stops and drops nothing.

-- step: Dropping the core specification tables
DROP TABLE public.conflicts;
DROP TABLE public.conversation_history;
DROP TABLE public.specifications;
DROP TABLE public.questions;
DROP TABLE public.sessions;
DROP TABLE public.projects;

-- step: Dropping the trigger function set_updated_at
DROP FUNCTION public.set_updated_at();
