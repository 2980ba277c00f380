-- Admin management
-- Revision: 002
-- Revises: 001
-- Create Date: 2025-11-11
-- Locks: public.users
-- Search path: pg_catalog, pg_temp
--
-- Which users administer the platform, with which permissions, and the actions they took. The audit log
-- outlives all of it: a user whom it names cannot be deleted.
--
-- Tables created:
-- - admin_roles: administrative roles and what they permit
-- - admin_users: administrative roles granted to users
-- - admin_audit_logs: actions of administrators; rows are only added
--
-- Target Database: socrates_auth

-- step: Creating the admin_roles table
CREATE TABLE public.admin_roles (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name varchar(100) NOT NULL,
  description text,
  permissions varchar[] NOT NULL DEFAULT '{}',
  is_system_role boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_admin_roles_name UNIQUE (name)
);
CREATE INDEX ix_admin_roles_is_system_role ON public.admin_roles (is_system_role);
CREATE INDEX ix_admin_roles_created_at ON public.admin_roles (created_at);
CREATE INDEX ix_admin_roles_updated_at ON public.admin_roles (updated_at);
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.admin_roles
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
COMMENT ON TABLE public.admin_roles IS 'Administrative roles and what they permit';
COMMENT ON COLUMN public.admin_roles.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.admin_roles.name IS 'Name of the role';
COMMENT ON COLUMN public.admin_roles.description IS 'Purpose of the role';
COMMENT ON COLUMN public.admin_roles.permissions IS 'Permissions that the role grants';
COMMENT ON COLUMN public.admin_roles.is_system_role IS 'Whether the role belongs to the platform and stays';
COMMENT ON COLUMN public.admin_roles.created_at IS 'Creation timestamp';
COMMENT ON COLUMN public.admin_roles.updated_at IS 'Last update timestamp, kept by the trigger set_updated_at';

-- step: Creating the admin_users table
CREATE TABLE public.admin_users (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL,
  role_id uuid NOT NULL,
  granted_by_id uuid,
  reason text,
  revoked_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_admin_users_user_role UNIQUE (user_id, role_id),
  CONSTRAINT fk_admin_users_user_id FOREIGN KEY (user_id) REFERENCES public.users (id) ON DELETE CASCADE,
  CONSTRAINT fk_admin_users_role_id FOREIGN KEY (role_id) REFERENCES public.admin_roles (id) ON DELETE RESTRICT,
  CONSTRAINT fk_admin_users_granted_by_id FOREIGN KEY (granted_by_id) REFERENCES public.users (id) ON DELETE SET NULL
);
CREATE INDEX ix_admin_users_user_id ON public.admin_users (user_id);
CREATE INDEX ix_admin_users_role_id ON public.admin_users (role_id);
CREATE INDEX ix_admin_users_granted_by_id ON public.admin_users (granted_by_id);
CREATE INDEX ix_admin_users_revoked_at ON public.admin_users (revoked_at);
CREATE INDEX ix_admin_users_created_at ON public.admin_users (created_at);
CREATE INDEX ix_admin_users_updated_at ON public.admin_users (updated_at);
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.admin_users
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
COMMENT ON TABLE public.admin_users IS 'Administrative roles granted to users';
COMMENT ON COLUMN public.admin_users.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.admin_users.user_id IS 'Reference to users.id, who holds the role';
COMMENT ON COLUMN public.admin_users.role_id IS 'Reference to admin_roles.id, the role that is held';
COMMENT ON COLUMN public.admin_users.granted_by_id IS 'Reference to users.id, who granted the role';
COMMENT ON COLUMN public.admin_users.reason IS 'Why the role was granted';
COMMENT ON COLUMN public.admin_users.revoked_at IS 'When the role was revoked';
COMMENT ON COLUMN public.admin_users.created_at IS 'Creation timestamp';
COMMENT ON COLUMN public.admin_users.updated_at IS 'Last update timestamp, kept by the trigger set_updated_at';

-- step: Creating the admin_audit_logs table
CREATE TABLE public.admin_audit_logs (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  admin_id uuid NOT NULL,
  action varchar(100) NOT NULL,
  resource_type varchar(100) NOT NULL,
  resource_id varchar(36) NOT NULL,
  changes jsonb DEFAULT '{}',
  ip_address varchar(45),
  user_agent varchar(500),
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT fk_admin_audit_logs_admin_id FOREIGN KEY (admin_id) REFERENCES public.users (id) ON DELETE RESTRICT
);
CREATE INDEX ix_admin_audit_logs_admin_id ON public.admin_audit_logs (admin_id);
CREATE INDEX ix_admin_audit_logs_action ON public.admin_audit_logs (action);
CREATE INDEX ix_admin_audit_logs_resource_type ON public.admin_audit_logs (resource_type);
CREATE INDEX ix_admin_audit_logs_created_at ON public.admin_audit_logs (created_at);
CREATE INDEX ix_admin_audit_logs_resource ON public.admin_audit_logs (resource_type, resource_id);
CREATE INDEX ix_admin_audit_logs_admin_id_created_at ON public.admin_audit_logs (admin_id, created_at);
COMMENT ON TABLE public.admin_audit_logs IS 'Actions of administrators; rows are only added';
COMMENT ON COLUMN public.admin_audit_logs.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.admin_audit_logs.admin_id IS 'Reference to users.id, who acted';
COMMENT ON COLUMN public.admin_audit_logs.action IS 'The action';
COMMENT ON COLUMN public.admin_audit_logs.resource_type IS 'Kind of the resource it was done to';
COMMENT ON COLUMN public.admin_audit_logs.resource_id IS 'Id of the resource it was done to';
COMMENT ON COLUMN public.admin_audit_logs.changes IS 'Changed values, before and after';
COMMENT ON COLUMN public.admin_audit_logs.ip_address IS 'Address the request came from, IPv4 or IPv6';
COMMENT ON COLUMN public.admin_audit_logs.user_agent IS 'Client the request came from';
COMMENT ON COLUMN public.admin_audit_logs.created_at IS 'Creation timestamp';
