-- Generated content
-- Revision: 004
-- Revises: 003
-- Create Date: 2025-11-11
-- Locks: public.projects
-- Search path: pg_catalog, pg_temp
--
-- What is generated from the specifications of a project: the project's code as a whole, and its files.
--
-- Tables created:
-- - generated_projects: code generated from the specifications of a project
-- - generated_files: files of the generated projects
--
-- Target Database: socrates_specs

-- step: Creating the generated_projects table
CREATE TABLE public.generated_projects (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  project_id uuid NOT NULL,
  name varchar(255) NOT NULL,
  description text,
  language varchar(50),
  framework varchar(100),
  version varchar(20),
  status varchar(20) NOT NULL DEFAULT 'draft',
  file_count integer NOT NULL DEFAULT 0,
  total_lines_of_code integer,
  structure jsonb DEFAULT '{}',
  configuration jsonb DEFAULT '{}',
  metadata jsonb DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT fk_generated_projects_project_id FOREIGN KEY (project_id) REFERENCES public.projects (id) ON DELETE CASCADE
);
CREATE INDEX ix_generated_projects_project_id ON public.generated_projects (project_id);
CREATE INDEX ix_generated_projects_language ON public.generated_projects (language);
CREATE INDEX ix_generated_projects_framework ON public.generated_projects (framework);
CREATE INDEX ix_generated_projects_status ON public.generated_projects (status);
CREATE INDEX ix_generated_projects_created_at ON public.generated_projects (created_at);
CREATE INDEX ix_generated_projects_updated_at ON public.generated_projects (updated_at);
CREATE INDEX ix_generated_projects_project_id_status ON public.generated_projects (project_id, status);
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.generated_projects
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
COMMENT ON TABLE public.generated_projects IS 'Code generated from the specifications of a project';
COMMENT ON COLUMN public.generated_projects.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.generated_projects.project_id IS 'Reference to projects.id, the project it was generated for';
COMMENT ON COLUMN public.generated_projects.name IS 'Name of the generated project';
COMMENT ON COLUMN public.generated_projects.description IS 'Description of the generated code';
COMMENT ON COLUMN public.generated_projects.language IS 'Programming language';
COMMENT ON COLUMN public.generated_projects.framework IS 'Framework';
COMMENT ON COLUMN public.generated_projects.version IS 'Version of the generated project';
COMMENT ON COLUMN public.generated_projects.status IS 'Status: draft, generated, reviewed, deployed or archived';
COMMENT ON COLUMN public.generated_projects.file_count IS 'Number of generated files';
COMMENT ON COLUMN public.generated_projects.total_lines_of_code IS 'Lines of code in all files';
COMMENT ON COLUMN public.generated_projects.structure IS 'Folders and files of the generated project';
COMMENT ON COLUMN public.generated_projects.configuration IS 'Settings it was generated with';
COMMENT ON COLUMN public.generated_projects.metadata IS 'Flexible metadata storage';
COMMENT ON COLUMN public.generated_projects.created_at IS 'Creation timestamp';
COMMENT ON COLUMN public.generated_projects.updated_at IS 'Last update timestamp, kept by the trigger set_updated_at';

-- step: Creating the generated_files table
CREATE TABLE public.generated_files (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  generated_project_id uuid NOT NULL,
  path varchar(500) NOT NULL,
  filename varchar(255) NOT NULL,
  file_type varchar(50),
  content text,
  lines_of_code integer,
  purpose varchar(255),
  status varchar(20) NOT NULL DEFAULT 'draft',
  metadata jsonb DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_generated_files_project_path UNIQUE (generated_project_id, path),
  CONSTRAINT fk_generated_files_generated_project_id FOREIGN KEY (generated_project_id) REFERENCES public.generated_projects (id) ON DELETE CASCADE
);
CREATE INDEX ix_generated_files_generated_project_id ON public.generated_files (generated_project_id);
CREATE INDEX ix_generated_files_path ON public.generated_files (path);
CREATE INDEX ix_generated_files_file_type ON public.generated_files (file_type);
CREATE INDEX ix_generated_files_status ON public.generated_files (status);
CREATE INDEX ix_generated_files_created_at ON public.generated_files (created_at);
CREATE INDEX ix_generated_files_updated_at ON public.generated_files (updated_at);
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.generated_files
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
COMMENT ON TABLE public.generated_files IS 'Files of the generated projects';
COMMENT ON COLUMN public.generated_files.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.generated_files.generated_project_id IS 'Reference to generated_projects.id, which the file is part of';
COMMENT ON COLUMN public.generated_files.path IS 'Path of the file within its generated project';
COMMENT ON COLUMN public.generated_files.filename IS 'Name of the file';
COMMENT ON COLUMN public.generated_files.file_type IS 'Type of the file';
COMMENT ON COLUMN public.generated_files.content IS 'Text of the file';
COMMENT ON COLUMN public.generated_files.lines_of_code IS 'Lines of code in the file';
COMMENT ON COLUMN public.generated_files.purpose IS 'Purpose of the file';
COMMENT ON COLUMN public.generated_files.status IS 'Status: draft, generated, reviewed or approved';
COMMENT ON COLUMN public.generated_files.metadata IS 'Flexible metadata storage';
COMMENT ON COLUMN public.generated_files.created_at IS 'Creation timestamp';
COMMENT ON COLUMN public.generated_files.updated_at IS 'Last update timestamp, kept by the trigger set_updated_at';
