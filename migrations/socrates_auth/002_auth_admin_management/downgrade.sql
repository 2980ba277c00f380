-- Rollback: Admin management
-- Revision: 002
-- Locks: public.users, public.admin_roles, public.admin_users, public.admin_audit_logs
--
-- Drops what 002 created, and every row in it. Without CASCADE: an object that someone else hung on these
-- tables stops the downgrade instead of vanishing with them.

-- step: Dropping the tables of admin management
DROP TABLE public.admin_audit_logs;
DROP TABLE public.admin_users;
DROP TABLE public.admin_roles;
