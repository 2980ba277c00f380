-- Initial auth schema
-- Revision: 001
-- Revises: <base>
-- Create Date: 2025-11-11
-- Branch: auth
-- Search path: pg_catalog, pg_temp
--
-- Who may log in. The specifications refer to users by their id alone, because they live in another database;
-- refresh tokens keep a user logged in. Here, too, is the trigger function that every later table of this
-- database uses to keep its updated_at.
--
-- Tables created:
-- - users: accounts of the users
-- - refresh_tokens: tokens that keep a user logged in
--
-- Target Database: socrates_auth

-- step: Creating the trigger function set_updated_at
CREATE FUNCTION public.set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
  NEW.updated_at := now();
  RETURN NEW;
END
$function$;
COMMENT ON FUNCTION public.set_updated_at() IS 'Sets updated_at of a row that is about to change';

-- step: Creating the users table
CREATE TABLE public.users (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  email varchar(255) NOT NULL,
  hashed_password varchar(255) NOT NULL,
  name varchar(100),
  surname varchar(100),
  username varchar(50),
  is_active boolean NOT NULL DEFAULT true,
  is_verified boolean NOT NULL DEFAULT false,
  role varchar(20) NOT NULL DEFAULT 'user',
  status varchar(20) NOT NULL DEFAULT 'active',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_users_email UNIQUE (email),
  CONSTRAINT uq_users_username UNIQUE (username),
  CONSTRAINT ck_users_role_valid CHECK (role IN ('user', 'admin', 'moderator')),
  CONSTRAINT ck_users_status_valid CHECK (status IN ('active', 'inactive', 'suspended', 'deleted'))
);
CREATE INDEX ix_users_is_active ON public.users (is_active);
CREATE INDEX ix_users_status ON public.users (status);
CREATE INDEX ix_users_created_at ON public.users (created_at);
CREATE INDEX ix_users_updated_at ON public.users (updated_at);
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.users
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
COMMENT ON TABLE public.users IS 'Accounts of the users';
COMMENT ON COLUMN public.users.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.users.email IS 'Email address, the name to log in with';
COMMENT ON COLUMN public.users.hashed_password IS 'Hash of the password';
COMMENT ON COLUMN public.users.name IS 'First name';
COMMENT ON COLUMN public.users.surname IS 'Last name';
COMMENT ON COLUMN public.users.username IS 'Name shown to other users';
COMMENT ON COLUMN public.users.is_active IS 'Whether the user may log in';
COMMENT ON COLUMN public.users.is_verified IS 'Whether the email address is confirmed';
COMMENT ON COLUMN public.users.role IS 'Role: user, admin or moderator';
COMMENT ON COLUMN public.users.status IS 'Status: active, inactive, suspended or deleted';
COMMENT ON COLUMN public.users.created_at IS 'Creation timestamp';
COMMENT ON COLUMN public.users.updated_at IS 'Last update timestamp, kept by the trigger set_updated_at';

-- step: Creating the refresh_tokens table
CREATE TABLE public.refresh_tokens (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL,
  token varchar(500) NOT NULL,
  expires_at timestamptz NOT NULL,
  is_revoked boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz,
  CONSTRAINT uq_refresh_tokens_token UNIQUE (token),
  CONSTRAINT fk_refresh_tokens_user_id FOREIGN KEY (user_id) REFERENCES public.users (id) ON DELETE CASCADE
);
CREATE INDEX ix_refresh_tokens_user_id ON public.refresh_tokens (user_id);
CREATE INDEX ix_refresh_tokens_expires_at ON public.refresh_tokens (expires_at);
CREATE INDEX ix_refresh_tokens_is_revoked ON public.refresh_tokens (is_revoked);
CREATE INDEX ix_refresh_tokens_created_at ON public.refresh_tokens (created_at);
CREATE INDEX ix_refresh_tokens_revoked_at ON public.refresh_tokens (revoked_at);
COMMENT ON TABLE public.refresh_tokens IS 'Tokens that keep a user logged in';
COMMENT ON COLUMN public.refresh_tokens.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.refresh_tokens.user_id IS 'Reference to users.id, the user who is logged in';
COMMENT ON COLUMN public.refresh_tokens.token IS 'The token';
COMMENT ON COLUMN public.refresh_tokens.expires_at IS 'When the token expires';
COMMENT ON COLUMN public.refresh_tokens.is_revoked IS 'Whether the token is revoked';
COMMENT ON COLUMN public.refresh_tokens.created_at IS 'Creation timestamp';
COMMENT ON COLUMN public.refresh_tokens.revoked_at IS 'When the token was revoked';
