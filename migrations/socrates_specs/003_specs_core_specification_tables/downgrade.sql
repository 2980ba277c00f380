-- Rollback: Core specification tables
-- Revision: 003
-- Locks: public.projects, public.sessions, public.questions, public.specifications, public.conversation_history, public.conflicts
--
-- Drops what 003 created, and every row in it. Without CASCADE: an object that someone else hung on these
-- tables stops the downgrade instead of vanishing with them.

-- step: Dropping the core specification tables
DROP TABLE public.conflicts;
DROP TABLE public.conversation_history;
DROP TABLE public.specifications;
DROP TABLE public.questions;
DROP TABLE public.sessions;
DROP TABLE public.projects;

-- step: Dropping the trigger function set_updated_at
DROP FUNCTION public.set_updated_at();
