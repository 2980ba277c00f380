-- Collaboration & sharing
-- Revision: 006
-- Revises: 005
-- Create Date: 2025-11-11
-- Locks: public.projects
-- Search path: pg_catalog, pg_temp
--
-- Users work together: teams, who belongs to them, and with whom a project is shared.
--
-- Tables created:
-- - teams: teams of users
-- - team_members: users who belong to teams
-- - project_shares: projects shared with users, teams or anyone
--
-- Target Database: socrates_specs

-- step: Creating the teams table
CREATE TABLE public.teams (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name varchar(255) NOT NULL,
  description text,
  owner_id uuid NOT NULL,
  status varchar(20) NOT NULL DEFAULT 'active',
  member_count integer NOT NULL DEFAULT 1,
  project_count integer NOT NULL DEFAULT 0,
  settings jsonb DEFAULT '{}',
  metadata jsonb DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_teams_name UNIQUE (name)
);
CREATE INDEX ix_teams_owner_id ON public.teams (owner_id);
CREATE INDEX ix_teams_status ON public.teams (status);
CREATE INDEX ix_teams_created_at ON public.teams (created_at);
CREATE INDEX ix_teams_updated_at ON public.teams (updated_at);
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.teams
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
COMMENT ON TABLE public.teams IS 'Teams of users';
COMMENT ON COLUMN public.teams.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.teams.name IS 'Name of the team';
COMMENT ON COLUMN public.teams.description IS 'Purpose of the team';
COMMENT ON COLUMN public.teams.owner_id IS 'Owner of the team: reference to users.id in socrates_auth (no FK - cross-database)';
COMMENT ON COLUMN public.teams.status IS 'Status: active, archived or suspended';
COMMENT ON COLUMN public.teams.member_count IS 'Number of members';
COMMENT ON COLUMN public.teams.project_count IS 'Number of projects';
COMMENT ON COLUMN public.teams.settings IS 'Settings of the team';
COMMENT ON COLUMN public.teams.metadata IS 'Flexible metadata storage';
COMMENT ON COLUMN public.teams.created_at IS 'Creation timestamp';
COMMENT ON COLUMN public.teams.updated_at IS 'Last update timestamp, kept by the trigger set_updated_at';

-- step: Creating the team_members table
CREATE TABLE public.team_members (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  team_id uuid NOT NULL,
  user_id uuid NOT NULL,
  role varchar(50) NOT NULL DEFAULT 'member',
  permission_level varchar(50),
  status varchar(20) NOT NULL DEFAULT 'active',
  invited_by_id uuid,
  joined_at timestamptz,
  contribution_score double precision,
  metadata jsonb DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_team_members_team_user UNIQUE (team_id, user_id),
  CONSTRAINT fk_team_members_team_id FOREIGN KEY (team_id) REFERENCES public.teams (id) ON DELETE CASCADE
);
CREATE INDEX ix_team_members_team_id ON public.team_members (team_id);
CREATE INDEX ix_team_members_user_id ON public.team_members (user_id);
CREATE INDEX ix_team_members_role ON public.team_members (role);
CREATE INDEX ix_team_members_status ON public.team_members (status);
CREATE INDEX ix_team_members_invited_by_id ON public.team_members (invited_by_id);
CREATE INDEX ix_team_members_joined_at ON public.team_members (joined_at);
CREATE INDEX ix_team_members_created_at ON public.team_members (created_at);
CREATE INDEX ix_team_members_updated_at ON public.team_members (updated_at);
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.team_members
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
COMMENT ON TABLE public.team_members IS 'Users who belong to teams';
COMMENT ON COLUMN public.team_members.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.team_members.team_id IS 'Reference to teams.id, the team they belong to';
COMMENT ON COLUMN public.team_members.user_id IS 'Reference to users.id in socrates_auth (no FK - cross-database)';
COMMENT ON COLUMN public.team_members.role IS 'Role: owner, admin, lead, member or viewer';
COMMENT ON COLUMN public.team_members.permission_level IS 'Permission: read, write or admin';
COMMENT ON COLUMN public.team_members.status IS 'Status: active, invited, inactive or suspended';
COMMENT ON COLUMN public.team_members.invited_by_id IS 'Who invited: reference to users.id in socrates_auth (no FK - cross-database)';
COMMENT ON COLUMN public.team_members.joined_at IS 'When the user joined';
COMMENT ON COLUMN public.team_members.contribution_score IS 'How much the user contributed';
COMMENT ON COLUMN public.team_members.metadata IS 'Flexible metadata storage';
COMMENT ON COLUMN public.team_members.created_at IS 'Creation timestamp';
COMMENT ON COLUMN public.team_members.updated_at IS 'Last update timestamp, kept by the trigger set_updated_at';

-- step: Creating the project_shares table
CREATE TABLE public.project_shares (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  project_id uuid NOT NULL,
  shared_with_user_id uuid,
  shared_with_team_id uuid,
  shared_by_id uuid NOT NULL,
  permission_level varchar(50) NOT NULL DEFAULT 'view',
  access_type varchar(50) NOT NULL,
  expiry_date timestamptz,
  password_protected boolean NOT NULL DEFAULT false,
  access_count integer NOT NULL DEFAULT 0,
  last_accessed_at timestamptz,
  metadata jsonb DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT fk_project_shares_project_id FOREIGN KEY (project_id) REFERENCES public.projects (id) ON DELETE CASCADE,
  CONSTRAINT fk_project_shares_shared_with_team_id FOREIGN KEY (shared_with_team_id) REFERENCES public.teams (id) ON DELETE CASCADE
);
CREATE INDEX ix_project_shares_project_id ON public.project_shares (project_id);
CREATE INDEX ix_project_shares_shared_with_user_id ON public.project_shares (shared_with_user_id);
CREATE INDEX ix_project_shares_shared_with_team_id ON public.project_shares (shared_with_team_id);
CREATE INDEX ix_project_shares_shared_by_id ON public.project_shares (shared_by_id);
CREATE INDEX ix_project_shares_permission_level ON public.project_shares (permission_level);
CREATE INDEX ix_project_shares_access_type ON public.project_shares (access_type);
CREATE INDEX ix_project_shares_expiry_date ON public.project_shares (expiry_date);
CREATE INDEX ix_project_shares_last_accessed_at ON public.project_shares (last_accessed_at);
CREATE INDEX ix_project_shares_created_at ON public.project_shares (created_at);
CREATE INDEX ix_project_shares_updated_at ON public.project_shares (updated_at);
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.project_shares
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
COMMENT ON TABLE public.project_shares IS 'Projects shared with users, teams or anyone';
COMMENT ON COLUMN public.project_shares.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.project_shares.project_id IS 'Reference to projects.id, the project shared';
COMMENT ON COLUMN public.project_shares.shared_with_user_id IS 'User who may see the project: reference to users.id in socrates_auth (no FK - cross-database)';
COMMENT ON COLUMN public.project_shares.shared_with_team_id IS 'Reference to teams.id, the team it is shared with';
COMMENT ON COLUMN public.project_shares.shared_by_id IS 'User who shared the project: reference to users.id in socrates_auth (no FK - cross-database)';
COMMENT ON COLUMN public.project_shares.permission_level IS 'Permission: view, comment, edit or admin';
COMMENT ON COLUMN public.project_shares.access_type IS 'Access: shared_user, shared_team, public or link';
COMMENT ON COLUMN public.project_shares.expiry_date IS 'When the share expires';
COMMENT ON COLUMN public.project_shares.password_protected IS 'Whether a password is asked for';
COMMENT ON COLUMN public.project_shares.access_count IS 'How often the share was used';
COMMENT ON COLUMN public.project_shares.last_accessed_at IS 'When the share was last used';
COMMENT ON COLUMN public.project_shares.metadata IS 'Flexible metadata storage';
COMMENT ON COLUMN public.project_shares.created_at IS 'Creation timestamp';
COMMENT ON COLUMN public.project_shares.updated_at IS 'Last update timestamp, kept by the trigger set_updated_at';
