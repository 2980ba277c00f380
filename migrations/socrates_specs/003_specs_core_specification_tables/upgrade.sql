-- Core specification tables
-- Revision: 003
-- Revises: <base>
-- Create Date: 2025-11-11
-- Branch: specs
-- Search path: pg_catalog, pg_temp
--
-- A project, the sessions in which it is talked through, the questions asked, the specifications won from
-- the answers, and where these contradict each other. Here, too, is the trigger function that every later
-- table of this database uses to keep its updated_at.
--
-- Tables created:
-- - projects: projects, from discovery to deployment
-- - sessions: conversations about a project
-- - questions: questions asked about a project, with their answers
-- - specifications: requirements of a project, each statement with its versions
-- - conversation_history: messages of the sessions; rows are only added
-- - conflicts: contradictions between specifications of a project
--
-- Target Database: socrates_specs

-- step: Creating the trigger function set_updated_at
CREATE FUNCTION public.set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
  NEW.updated_at := now();
  RETURN NEW;
END
$function$;
COMMENT ON FUNCTION public.set_updated_at() IS 'Sets updated_at of a row that is about to change';

-- step: Creating the projects table
CREATE TABLE public.projects (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL,
  name varchar(255) NOT NULL,
  description text,
  phase varchar(50) NOT NULL DEFAULT 'discovery',
  status varchar(20) NOT NULL DEFAULT 'active',
  maturity_level integer,
  metadata jsonb DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_projects_user_id ON public.projects (user_id);
CREATE INDEX ix_projects_phase ON public.projects (phase);
CREATE INDEX ix_projects_status ON public.projects (status);
CREATE INDEX ix_projects_created_at ON public.projects (created_at);
CREATE INDEX ix_projects_updated_at ON public.projects (updated_at);
CREATE INDEX ix_projects_user_id_status ON public.projects (user_id, status);
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.projects
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
COMMENT ON TABLE public.projects IS 'Projects, from discovery to deployment';
COMMENT ON COLUMN public.projects.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.projects.user_id IS 'Reference to users.id in socrates_auth (no FK - cross-database)';
COMMENT ON COLUMN public.projects.name IS 'Name of the project';
COMMENT ON COLUMN public.projects.description IS 'Topic of the project';
COMMENT ON COLUMN public.projects.phase IS 'Phase: discovery, specification, generation, testing or deployment';
COMMENT ON COLUMN public.projects.status IS 'Status: active, archived, completed or on_hold';
COMMENT ON COLUMN public.projects.maturity_level IS 'How complete the specification is, 0 to 100';
COMMENT ON COLUMN public.projects.metadata IS 'Flexible metadata storage';
COMMENT ON COLUMN public.projects.created_at IS 'Creation timestamp';
COMMENT ON COLUMN public.projects.updated_at IS 'Last update timestamp, kept by the trigger set_updated_at';

-- step: Creating the sessions table
CREATE TABLE public.sessions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  project_id uuid NOT NULL,
  user_id uuid NOT NULL,
  title varchar(255),
  status varchar(20) NOT NULL DEFAULT 'active',
  message_count integer NOT NULL DEFAULT 0,
  metadata jsonb DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT fk_sessions_project_id FOREIGN KEY (project_id) REFERENCES public.projects (id) ON DELETE CASCADE
);
CREATE INDEX ix_sessions_project_id ON public.sessions (project_id);
CREATE INDEX ix_sessions_user_id ON public.sessions (user_id);
CREATE INDEX ix_sessions_status ON public.sessions (status);
CREATE INDEX ix_sessions_created_at ON public.sessions (created_at);
CREATE INDEX ix_sessions_updated_at ON public.sessions (updated_at);
CREATE INDEX ix_sessions_project_id_status ON public.sessions (project_id, status);
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.sessions
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
COMMENT ON TABLE public.sessions IS 'Conversations about a project';
COMMENT ON COLUMN public.sessions.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.sessions.project_id IS 'Reference to projects.id, the project talked about';
COMMENT ON COLUMN public.sessions.user_id IS 'Reference to users.id in socrates_auth (no FK - cross-database)';
COMMENT ON COLUMN public.sessions.title IS 'Title of the session';
COMMENT ON COLUMN public.sessions.status IS 'Status: active, archived or completed';
COMMENT ON COLUMN public.sessions.message_count IS 'Number of messages in the session';
COMMENT ON COLUMN public.sessions.metadata IS 'Flexible metadata storage';
COMMENT ON COLUMN public.sessions.created_at IS 'Creation timestamp';
COMMENT ON COLUMN public.sessions.updated_at IS 'Last update timestamp, kept by the trigger set_updated_at';

-- step: Creating the questions table
CREATE TABLE public.questions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  project_id uuid NOT NULL,
  session_id uuid,
  text text NOT NULL,
  category varchar(100),
  priority varchar(20) DEFAULT 'medium',
  answer text,
  status varchar(20) NOT NULL DEFAULT 'pending',
  metadata jsonb DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT fk_questions_project_id FOREIGN KEY (project_id) REFERENCES public.projects (id) ON DELETE CASCADE,
  CONSTRAINT fk_questions_session_id FOREIGN KEY (session_id) REFERENCES public.sessions (id) ON DELETE SET NULL
);
CREATE INDEX ix_questions_project_id ON public.questions (project_id);
CREATE INDEX ix_questions_session_id ON public.questions (session_id);
CREATE INDEX ix_questions_category ON public.questions (category);
CREATE INDEX ix_questions_status ON public.questions (status);
CREATE INDEX ix_questions_created_at ON public.questions (created_at);
CREATE INDEX ix_questions_updated_at ON public.questions (updated_at);
CREATE INDEX ix_questions_project_id_status ON public.questions (project_id, status);
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.questions
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
COMMENT ON TABLE public.questions IS 'Questions asked about a project, with their answers';
COMMENT ON COLUMN public.questions.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.questions.project_id IS 'Reference to projects.id, the project asked about';
COMMENT ON COLUMN public.questions.session_id IS 'Reference to sessions.id, the session of the question';
COMMENT ON COLUMN public.questions.text IS 'The question';
COMMENT ON COLUMN public.questions.category IS 'Topic of the question';
COMMENT ON COLUMN public.questions.priority IS 'Priority: low, medium, high or critical';
COMMENT ON COLUMN public.questions.answer IS 'The answer';
COMMENT ON COLUMN public.questions.status IS 'Status: pending, answered, skipped or resolved';
COMMENT ON COLUMN public.questions.metadata IS 'Flexible metadata storage';
COMMENT ON COLUMN public.questions.created_at IS 'Creation timestamp';
COMMENT ON COLUMN public.questions.updated_at IS 'Last update timestamp, kept by the trigger set_updated_at';

-- step: Creating the specifications table
CREATE TABLE public.specifications (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  project_id uuid NOT NULL,
  key varchar(255) NOT NULL,
  value text,
  type varchar(100),
  status varchar(20) NOT NULL DEFAULT 'draft',
  version integer NOT NULL DEFAULT 1,
  metadata jsonb DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_specifications_project_key_version UNIQUE (project_id, key, version),
  CONSTRAINT fk_specifications_project_id FOREIGN KEY (project_id) REFERENCES public.projects (id) ON DELETE CASCADE
);
CREATE INDEX ix_specifications_project_id ON public.specifications (project_id);
CREATE INDEX ix_specifications_key ON public.specifications (key);
CREATE INDEX ix_specifications_type ON public.specifications (type);
CREATE INDEX ix_specifications_status ON public.specifications (status);
CREATE INDEX ix_specifications_created_at ON public.specifications (created_at);
CREATE INDEX ix_specifications_updated_at ON public.specifications (updated_at);
CREATE INDEX ix_specifications_project_id_status ON public.specifications (project_id, status);
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.specifications
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
COMMENT ON TABLE public.specifications IS 'Requirements of a project, each statement with its versions';
COMMENT ON COLUMN public.specifications.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.specifications.project_id IS 'Reference to projects.id, the project specified';
COMMENT ON COLUMN public.specifications.key IS 'Name of the specification within its project';
COMMENT ON COLUMN public.specifications.value IS 'Text of the specification';
COMMENT ON COLUMN public.specifications.type IS 'Type: functional, non-functional, deployment, security or performance';
COMMENT ON COLUMN public.specifications.status IS 'Status: draft, approved, implemented or deprecated';
COMMENT ON COLUMN public.specifications.version IS 'Version of the specification, from 1';
COMMENT ON COLUMN public.specifications.metadata IS 'Flexible metadata storage';
COMMENT ON COLUMN public.specifications.created_at IS 'Creation timestamp';
COMMENT ON COLUMN public.specifications.updated_at IS 'Last update timestamp, kept by the trigger set_updated_at';

-- step: Creating the conversation_history table
CREATE TABLE public.conversation_history (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  session_id uuid NOT NULL,
  role varchar(20) NOT NULL,
  content text NOT NULL,
  message_type varchar(50),
  tokens_used integer,
  metadata jsonb DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT fk_conversation_history_session_id FOREIGN KEY (session_id) REFERENCES public.sessions (id) ON DELETE CASCADE
);
CREATE INDEX ix_conversation_history_session_id ON public.conversation_history (session_id);
CREATE INDEX ix_conversation_history_role ON public.conversation_history (role);
CREATE INDEX ix_conversation_history_created_at ON public.conversation_history (created_at);
CREATE INDEX ix_conversation_history_session_id_created_at ON public.conversation_history (session_id, created_at);
COMMENT ON TABLE public.conversation_history IS 'Messages of the sessions; rows are only added';
COMMENT ON COLUMN public.conversation_history.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.conversation_history.session_id IS 'Reference to sessions.id, where it was said';
COMMENT ON COLUMN public.conversation_history.role IS 'Who said it: user, assistant or system';
COMMENT ON COLUMN public.conversation_history.content IS 'Text of the message';
COMMENT ON COLUMN public.conversation_history.message_type IS 'Type: question, answer, clarification, specification or error';
COMMENT ON COLUMN public.conversation_history.tokens_used IS 'Number of tokens the message used';
COMMENT ON COLUMN public.conversation_history.metadata IS 'Flexible metadata storage';
COMMENT ON COLUMN public.conversation_history.created_at IS 'Creation timestamp';

-- step: Creating the conflicts table
CREATE TABLE public.conflicts (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  project_id uuid NOT NULL,
  title varchar(255) NOT NULL,
  description text,
  type varchar(100),
  severity varchar(20) NOT NULL DEFAULT 'medium',
  status varchar(20) NOT NULL DEFAULT 'open',
  resolution text,
  related_specifications uuid[] DEFAULT '{}',
  metadata jsonb DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT fk_conflicts_project_id FOREIGN KEY (project_id) REFERENCES public.projects (id) ON DELETE CASCADE
);
CREATE INDEX ix_conflicts_project_id ON public.conflicts (project_id);
CREATE INDEX ix_conflicts_type ON public.conflicts (type);
CREATE INDEX ix_conflicts_severity ON public.conflicts (severity);
CREATE INDEX ix_conflicts_status ON public.conflicts (status);
CREATE INDEX ix_conflicts_created_at ON public.conflicts (created_at);
CREATE INDEX ix_conflicts_updated_at ON public.conflicts (updated_at);
CREATE INDEX ix_conflicts_project_id_status ON public.conflicts (project_id, status);
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.conflicts
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
COMMENT ON TABLE public.conflicts IS 'Contradictions between specifications of a project';
COMMENT ON COLUMN public.conflicts.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.conflicts.project_id IS 'Reference to projects.id, the project they belong to';
COMMENT ON COLUMN public.conflicts.title IS 'The contradiction in a few words';
COMMENT ON COLUMN public.conflicts.description IS 'The contradiction at length';
COMMENT ON COLUMN public.conflicts.type IS 'Type: requirement_conflict, design_conflict, dependency_conflict or performance_conflict';
COMMENT ON COLUMN public.conflicts.severity IS 'Severity: low, medium, high or critical';
COMMENT ON COLUMN public.conflicts.status IS 'Status: open, in_progress, resolved or cancelled';
COMMENT ON COLUMN public.conflicts.resolution IS 'How the contradiction was resolved';
COMMENT ON COLUMN public.conflicts.related_specifications IS 'Ids of the specifications that contradict each other';
COMMENT ON COLUMN public.conflicts.metadata IS 'Flexible metadata storage';
COMMENT ON COLUMN public.conflicts.created_at IS 'Creation timestamp';
COMMENT ON COLUMN public.conflicts.updated_at IS 'Last update timestamp, kept by the trigger set_updated_at';
