-- Rollback: Collaboration & sharing
-- Revision: 006
-- Locks: public.projects, public.teams, public.team_members, public.project_shares
--
-- Drops what 006 created, and every row in it. Without CASCADE, so if an object of
-- someone else depends on these tables, the downgrade stops and drops nothing.

-- step: Dropping the tables of collaboration and sharing
DROP TABLE public.project_shares;
DROP TABLE public.team_members;
DROP TABLE public.teams;
