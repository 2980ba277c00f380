-- Rollback: Collaboration & sharing
-- Revision: 006
-- Locks: public.projects, public.teams, public.team_members, public.project_shares
--
-- Drops what 006 created, and every row in it. Without CASCADE: an object that someone else hung on these
-- tables stops the downgrade instead of vanishing with them.

-- step: Dropping the tables of collaboration and sharing
DROP TABLE public.project_shares;
DROP TABLE public.team_members;
DROP TABLE public.teams;
