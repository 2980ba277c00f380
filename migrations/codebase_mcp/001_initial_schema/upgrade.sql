-- Initial schema
-- Revision: 001
-- Revises: <base>
-- Create Date: 2025-10-06
-- Locks: public.repositories, public.code_files, public.code_chunks, public.embeddings, public.tasks
-- Search path: pg_catalog, pg_temp
--
-- The four tables of semantic code search, each hanging on the one before it, and the first form of
-- tasks. The extension vector is required and not created here: that takes rights which a migration
-- should not need.

-- step: Checking prerequisites
DO $do$
BEGIN
  IF current_setting('server_version_num')::integer < 140000 THEN
    RAISE EXCEPTION USING
      ERRCODE = 'feature_not_supported',
      MESSAGE = format('PostgreSQL 14 or newer is required, this server is %s', current_setting('server_version')),
      HINT = 'Upgrade the server to PostgreSQL 14 or newer.';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'vector') THEN
    RAISE EXCEPTION USING
      ERRCODE = 'undefined_object',
      MESSAGE = 'Extension "vector" is not installed in this database',
      DETAIL = 'The embeddings are stored in columns of its type.',
      HINT = 'Run: CREATE EXTENSION vector;';
  END IF;
  IF to_regtype('public.vector') IS NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = 'undefined_object',
      MESSAGE = 'Extension "vector" is installed outside schema public',
      DETAIL = 'The tables of this database name its type as public.vector.',
      HINT = 'Run: ALTER EXTENSION vector SET SCHEMA public;';
  END IF;
END
$do$;

-- step: Creating the search tables
CREATE TABLE public.repositories (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  path text NOT NULL UNIQUE,
  indexed_at timestamptz NOT NULL,
  metadata jsonb
);

CREATE TABLE public.code_files (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  repository_id uuid NOT NULL REFERENCES public.repositories (id) ON DELETE CASCADE,
  path text NOT NULL,
  language text,
  content_hash text,
  indexed_at timestamptz NOT NULL DEFAULT now(),
  -- Its index also serves the foreign key.
  UNIQUE (repository_id, path)
);

CREATE TABLE public.code_chunks (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  code_file_id uuid NOT NULL REFERENCES public.code_files (id) ON DELETE CASCADE,
  content text NOT NULL,
  start_line integer NOT NULL,
  end_line integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_code_chunks_code_file_id ON public.code_chunks (code_file_id);

CREATE TABLE public.embeddings (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  chunk_id uuid NOT NULL REFERENCES public.code_chunks (id) ON DELETE CASCADE,
  vector public.vector(768) NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_embeddings_chunk_id ON public.embeddings (chunk_id);

-- step: Creating the tasks table
CREATE TABLE public.tasks (
  id uuid NOT NULL,
  title varchar NOT NULL,
  description text,
  notes text,
  status varchar NOT NULL DEFAULT 'need to be done',
  created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT pk_tasks PRIMARY KEY (id),
  CONSTRAINT ck_tasks_valid_status CHECK (status IN ('need to be done', 'in-progress', 'complete'))
);
CREATE INDEX ix_tasks_status ON public.tasks (status);
