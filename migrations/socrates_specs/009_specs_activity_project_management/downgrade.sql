-- Rollback: Activity & project management
-- Revision: 009
-- Locks: public.projects, public.activity_logs, public.project_invitations
--
-- Drops what 009 created, and every row in it. Without CASCADE, so if an object of
-- someone else depends on these tables, the downgrade stops and drops nothing.

-- step: Dropping the tables of activity and project management
DROP TABLE public.project_invitations;
DROP TABLE public.activity_logs;
