-- Rollback: Initial auth schema
-- Revision: 001
-- Locks: public.users, public.refresh_tokens
--
-- Drops what 001 created, and every row in it. Without CASCADE, so if an object of
-- someone else depends on these tables, the downgrade stops and drops nothing.

-- step: Dropping the tables of users
DROP TABLE public.refresh_tokens;
DROP TABLE public.users;

-- step: Dropping the trigger function set_updated_at
DROP FUNCTION public.set_updated_at();
