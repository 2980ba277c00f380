-- Tracking & analytics
-- Revision: 005
-- Revises: 004
-- Create Date: 2025-11-11
-- Locks: public.projects, public.questions
-- Search path: pg_catalog, pg_temp
--
-- How good the projects, the questions and the answers are: measurements of projects, habits of users, the
-- effect of questions, and the documents that answers draw on.
--
-- Tables created:
-- - quality_metrics: measurements of the quality of projects; rows are only added
-- - user_behavior_patterns: habits of users, as observed
-- - question_effectiveness: how well questions work
-- - knowledge_base_documents: documents that answers draw on
--
-- Target Database: socrates_specs

-- step: Creating the quality_metrics table
CREATE TABLE public.quality_metrics (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  project_id uuid NOT NULL,
  metric_name varchar(100) NOT NULL,
  metric_value double precision NOT NULL,
  metric_type varchar(50),
  measured_at timestamptz,
  details jsonb DEFAULT '{}',
  metadata jsonb DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT fk_quality_metrics_project_id FOREIGN KEY (project_id) REFERENCES public.projects (id) ON DELETE CASCADE
);
CREATE INDEX ix_quality_metrics_project_id ON public.quality_metrics (project_id);
CREATE INDEX ix_quality_metrics_metric_name ON public.quality_metrics (metric_name);
CREATE INDEX ix_quality_metrics_metric_type ON public.quality_metrics (metric_type);
CREATE INDEX ix_quality_metrics_measured_at ON public.quality_metrics (measured_at);
CREATE INDEX ix_quality_metrics_created_at ON public.quality_metrics (created_at);
CREATE INDEX ix_quality_metrics_project_id_created_at ON public.quality_metrics (project_id, created_at);
COMMENT ON TABLE public.quality_metrics IS 'Measurements of the quality of projects; rows are only added';
COMMENT ON COLUMN public.quality_metrics.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.quality_metrics.project_id IS 'Reference to projects.id, the project measured';
COMMENT ON COLUMN public.quality_metrics.metric_name IS 'Name of the metric';
COMMENT ON COLUMN public.quality_metrics.metric_value IS 'The value, usually 0 to 100';
COMMENT ON COLUMN public.quality_metrics.metric_type IS 'Kind of the measurement';
COMMENT ON COLUMN public.quality_metrics.measured_at IS 'When it was measured';
COMMENT ON COLUMN public.quality_metrics.details IS 'Components of the value';
COMMENT ON COLUMN public.quality_metrics.metadata IS 'Flexible metadata storage';
COMMENT ON COLUMN public.quality_metrics.created_at IS 'Creation timestamp';

-- step: Creating the user_behavior_patterns table
CREATE TABLE public.user_behavior_patterns (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL,
  pattern_type varchar(100) NOT NULL,
  pattern_data jsonb DEFAULT '{}',
  confidence_score double precision,
  observation_period varchar(50),
  sample_size integer,
  metadata jsonb DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_user_behavior_patterns_user_id ON public.user_behavior_patterns (user_id);
CREATE INDEX ix_user_behavior_patterns_pattern_type ON public.user_behavior_patterns (pattern_type);
CREATE INDEX ix_user_behavior_patterns_created_at ON public.user_behavior_patterns (created_at);
CREATE INDEX ix_user_behavior_patterns_updated_at ON public.user_behavior_patterns (updated_at);
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.user_behavior_patterns
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
COMMENT ON TABLE public.user_behavior_patterns IS 'Habits of users, as observed';
COMMENT ON COLUMN public.user_behavior_patterns.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.user_behavior_patterns.user_id IS 'Reference to users.id in socrates_auth (no FK - cross-database)';
COMMENT ON COLUMN public.user_behavior_patterns.pattern_type IS 'Kind of the habit';
COMMENT ON COLUMN public.user_behavior_patterns.pattern_data IS 'The habit as it was observed';
COMMENT ON COLUMN public.user_behavior_patterns.confidence_score IS 'How certain the observation is, 0 to 1';
COMMENT ON COLUMN public.user_behavior_patterns.observation_period IS 'Period: daily, weekly, monthly or all_time';
COMMENT ON COLUMN public.user_behavior_patterns.sample_size IS 'Number of observations';
COMMENT ON COLUMN public.user_behavior_patterns.metadata IS 'Flexible metadata storage';
COMMENT ON COLUMN public.user_behavior_patterns.created_at IS 'Creation timestamp';
COMMENT ON COLUMN public.user_behavior_patterns.updated_at IS 'Last update timestamp, kept by the trigger set_updated_at';

-- step: Creating the question_effectiveness table
CREATE TABLE public.question_effectiveness (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  question_id uuid,
  question_text text,
  project_type varchar(100),
  effectiveness_score double precision,
  relevance_score double precision,
  clarity_score double precision,
  times_asked integer NOT NULL DEFAULT 0,
  times_skipped integer NOT NULL DEFAULT 0,
  average_response_time_seconds double precision,
  feedback jsonb DEFAULT '{}',
  recommendations text,
  metadata jsonb DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT fk_question_effectiveness_question_id FOREIGN KEY (question_id) REFERENCES public.questions (id) ON DELETE SET NULL
);
CREATE INDEX ix_question_effectiveness_question_id ON public.question_effectiveness (question_id);
CREATE INDEX ix_question_effectiveness_project_type ON public.question_effectiveness (project_type);
CREATE INDEX ix_question_effectiveness_effectiveness_score ON public.question_effectiveness (effectiveness_score);
CREATE INDEX ix_question_effectiveness_created_at ON public.question_effectiveness (created_at);
CREATE INDEX ix_question_effectiveness_updated_at ON public.question_effectiveness (updated_at);
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.question_effectiveness
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
COMMENT ON TABLE public.question_effectiveness IS 'How well questions work';
COMMENT ON COLUMN public.question_effectiveness.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.question_effectiveness.question_id IS 'Reference to questions.id, the question judged';
COMMENT ON COLUMN public.question_effectiveness.question_text IS 'The question as it was asked';
COMMENT ON COLUMN public.question_effectiveness.project_type IS 'Kind of the projects it was asked in';
COMMENT ON COLUMN public.question_effectiveness.effectiveness_score IS 'How much the answers helped';
COMMENT ON COLUMN public.question_effectiveness.relevance_score IS 'How much the question was to the point';
COMMENT ON COLUMN public.question_effectiveness.clarity_score IS 'How clear the question was';
COMMENT ON COLUMN public.question_effectiveness.times_asked IS 'How often it was asked';
COMMENT ON COLUMN public.question_effectiveness.times_skipped IS 'How often it was skipped';
COMMENT ON COLUMN public.question_effectiveness.average_response_time_seconds IS 'Time to the answer on average, in seconds';
COMMENT ON COLUMN public.question_effectiveness.feedback IS 'Comments of users on the question';
COMMENT ON COLUMN public.question_effectiveness.recommendations IS 'How to ask better';
COMMENT ON COLUMN public.question_effectiveness.metadata IS 'Flexible metadata storage';
COMMENT ON COLUMN public.question_effectiveness.created_at IS 'Creation timestamp';
COMMENT ON COLUMN public.question_effectiveness.updated_at IS 'Last update timestamp, kept by the trigger set_updated_at';

-- step: Creating the knowledge_base_documents table
CREATE TABLE public.knowledge_base_documents (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  title varchar(255) NOT NULL,
  content text,
  document_type varchar(100),
  category varchar(100),
  tags varchar[] DEFAULT '{}',
  source varchar(255),
  version integer NOT NULL DEFAULT 1,
  is_approved boolean NOT NULL DEFAULT false,
  relevance_score double precision,
  usage_count integer NOT NULL DEFAULT 0,
  metadata jsonb DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_knowledge_base_documents_title ON public.knowledge_base_documents (title);
CREATE INDEX ix_knowledge_base_documents_document_type ON public.knowledge_base_documents (document_type);
CREATE INDEX ix_knowledge_base_documents_category ON public.knowledge_base_documents (category);
CREATE INDEX ix_knowledge_base_documents_is_approved ON public.knowledge_base_documents (is_approved);
CREATE INDEX ix_knowledge_base_documents_created_at ON public.knowledge_base_documents (created_at);
CREATE INDEX ix_knowledge_base_documents_updated_at ON public.knowledge_base_documents (updated_at);
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.knowledge_base_documents
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
COMMENT ON TABLE public.knowledge_base_documents IS 'Documents that answers draw on';
COMMENT ON COLUMN public.knowledge_base_documents.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.knowledge_base_documents.title IS 'Title of the document';
COMMENT ON COLUMN public.knowledge_base_documents.content IS 'Text of the document';
COMMENT ON COLUMN public.knowledge_base_documents.document_type IS 'Type of the document';
COMMENT ON COLUMN public.knowledge_base_documents.category IS 'Topic of the document';
COMMENT ON COLUMN public.knowledge_base_documents.tags IS 'Words to find the document by';
COMMENT ON COLUMN public.knowledge_base_documents.source IS 'Where the document comes from';
COMMENT ON COLUMN public.knowledge_base_documents.version IS 'Version of the document, from 1';
COMMENT ON COLUMN public.knowledge_base_documents.is_approved IS 'Whether the document may be used';
COMMENT ON COLUMN public.knowledge_base_documents.relevance_score IS 'How much the document helps, 0 to 1';
COMMENT ON COLUMN public.knowledge_base_documents.usage_count IS 'How often the document was used';
COMMENT ON COLUMN public.knowledge_base_documents.metadata IS 'Flexible metadata storage';
COMMENT ON COLUMN public.knowledge_base_documents.created_at IS 'Creation timestamp';
COMMENT ON COLUMN public.knowledge_base_documents.updated_at IS 'Last update timestamp, kept by the trigger set_updated_at';
