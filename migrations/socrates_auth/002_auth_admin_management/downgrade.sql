-- Rollback: Admin management
-- Revision: 002
-- Locks: public.users, public.admin_roles, public.admin_users, public.admin_audit_logs
--
-- Drops what 002 created, and every row in it. Without CASCADE, so if an object of
-- someone else depends on these tables, the downgrade stops and drops nothing.

-- step: Dropping the tables of admin management
DROP TABLE public.admin_audit_logs;
DROP TABLE public.admin_users;
DROP TABLE public.admin_roles;
