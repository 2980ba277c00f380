-- Activity & project management
-- Revision: 009
-- Revises: 008
-- Create Date: 2025-11-11
-- Locks: public.projects
-- Search path: pg_catalog, pg_temp
--
-- Actions of users, and whom they invited to their projects.
--
-- Tables created:
-- - activity_logs: actions of users; rows are only added
-- - project_invitations: invitations to work on a project
--
-- Target Database: socrates_specs

-- step: Creating the activity_logs table
CREATE TABLE public.activity_logs (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL,
  action varchar(100) NOT NULL,
  resource_type varchar(100) NOT NULL,
  resource_id uuid NOT NULL,
  resource_name varchar(255),
  changes jsonb DEFAULT '{}',
  description text,
  severity varchar(20) DEFAULT 'info',
  ip_address varchar(45),
  user_agent varchar(500),
  metadata jsonb DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_activity_logs_user_id ON public.activity_logs (user_id);
CREATE INDEX ix_activity_logs_action ON public.activity_logs (action);
CREATE INDEX ix_activity_logs_resource_type ON public.activity_logs (resource_type);
CREATE INDEX ix_activity_logs_resource_id ON public.activity_logs (resource_id);
CREATE INDEX ix_activity_logs_severity ON public.activity_logs (severity);
CREATE INDEX ix_activity_logs_created_at ON public.activity_logs (created_at);
CREATE INDEX ix_activity_logs_resource ON public.activity_logs (resource_type, resource_id);
CREATE INDEX ix_activity_logs_user_id_created_at ON public.activity_logs (user_id, created_at);
COMMENT ON TABLE public.activity_logs IS 'Actions of users; rows are only added';
COMMENT ON COLUMN public.activity_logs.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.activity_logs.user_id IS 'Reference to users.id in socrates_auth (no FK - cross-database)';
COMMENT ON COLUMN public.activity_logs.action IS 'The action';
COMMENT ON COLUMN public.activity_logs.resource_type IS 'Kind of the resource it was done to';
COMMENT ON COLUMN public.activity_logs.resource_id IS 'Id of the resource it was done to';
COMMENT ON COLUMN public.activity_logs.resource_name IS 'Name of the resource at that time';
COMMENT ON COLUMN public.activity_logs.changes IS 'Changed values, before and after';
COMMENT ON COLUMN public.activity_logs.description IS 'The action, in a sentence';
COMMENT ON COLUMN public.activity_logs.severity IS 'Severity: info, warning, error or critical';
COMMENT ON COLUMN public.activity_logs.ip_address IS 'Address the request came from, IPv4 or IPv6';
COMMENT ON COLUMN public.activity_logs.user_agent IS 'Client the request came from';
COMMENT ON COLUMN public.activity_logs.metadata IS 'Flexible metadata storage';
COMMENT ON COLUMN public.activity_logs.created_at IS 'Creation timestamp';

-- step: Creating the project_invitations table
CREATE TABLE public.project_invitations (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  project_id uuid NOT NULL,
  invited_user_id uuid,
  invited_email varchar(255),
  invited_by_id uuid NOT NULL,
  role varchar(50) NOT NULL DEFAULT 'member',
  permission_level varchar(50),
  status varchar(20) NOT NULL DEFAULT 'pending',
  invitation_token varchar(255),
  token_expires_at timestamptz,
  message text,
  responded_at timestamptz,
  metadata jsonb DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT fk_project_invitations_project_id FOREIGN KEY (project_id) REFERENCES public.projects (id) ON DELETE CASCADE
);
CREATE INDEX ix_project_invitations_project_id ON public.project_invitations (project_id);
CREATE INDEX ix_project_invitations_invited_user_id ON public.project_invitations (invited_user_id);
CREATE INDEX ix_project_invitations_invited_email ON public.project_invitations (invited_email);
CREATE INDEX ix_project_invitations_invited_by_id ON public.project_invitations (invited_by_id);
CREATE INDEX ix_project_invitations_role ON public.project_invitations (role);
CREATE INDEX ix_project_invitations_status ON public.project_invitations (status);
CREATE INDEX ix_project_invitations_invitation_token ON public.project_invitations (invitation_token);
CREATE INDEX ix_project_invitations_token_expires_at ON public.project_invitations (token_expires_at);
CREATE INDEX ix_project_invitations_responded_at ON public.project_invitations (responded_at);
CREATE INDEX ix_project_invitations_created_at ON public.project_invitations (created_at);
CREATE INDEX ix_project_invitations_updated_at ON public.project_invitations (updated_at);
CREATE INDEX ix_project_invitations_project_id_status ON public.project_invitations (project_id, status);
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.project_invitations
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
COMMENT ON TABLE public.project_invitations IS 'Invitations to work on a project';
COMMENT ON COLUMN public.project_invitations.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.project_invitations.project_id IS 'Reference to projects.id, the project invited to';
COMMENT ON COLUMN public.project_invitations.invited_user_id IS 'Who is invited: reference to users.id in socrates_auth (no FK - cross-database)';
COMMENT ON COLUMN public.project_invitations.invited_email IS 'Email address of who is invited';
COMMENT ON COLUMN public.project_invitations.invited_by_id IS 'Who invites: reference to users.id in socrates_auth (no FK - cross-database)';
COMMENT ON COLUMN public.project_invitations.role IS 'Role: viewer, member, lead or admin';
COMMENT ON COLUMN public.project_invitations.permission_level IS 'Permission: read, write or admin';
COMMENT ON COLUMN public.project_invitations.status IS 'Status: pending, accepted, declined, revoked or expired';
COMMENT ON COLUMN public.project_invitations.invitation_token IS 'Token that the invitation is accepted with';
COMMENT ON COLUMN public.project_invitations.token_expires_at IS 'When the token expires';
COMMENT ON COLUMN public.project_invitations.message IS 'Text of the invitation';
COMMENT ON COLUMN public.project_invitations.responded_at IS 'When the invitation was answered';
COMMENT ON COLUMN public.project_invitations.metadata IS 'Flexible metadata storage';
COMMENT ON COLUMN public.project_invitations.created_at IS 'Creation timestamp';
COMMENT ON COLUMN public.project_invitations.updated_at IS 'Last update timestamp, kept by the trigger set_updated_at';
