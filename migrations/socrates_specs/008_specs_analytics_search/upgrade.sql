-- Analytics & search
-- Revision: 008
-- Revises: 007
-- Create Date: 2025-11-11
-- Locks: public.knowledge_base_documents, public.projects
-- Search path: pg_catalog, pg_temp
--
-- Figures about the platform, the parts of documents that a search finds, and the notifications that each
-- user wants. The embeddings themselves live elsewhere and are known here by their ids.
--
-- Tables created:
-- - analytics_metrics: figures about the platform over time; rows are only added
-- - document_chunks: parts of documents, as a search finds them
-- - notification_preferences: notifications that each user wants, and how they are sent
--
-- Target Database: socrates_specs

-- step: Creating the analytics_metrics table
CREATE TABLE public.analytics_metrics (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  metric_name varchar(100) NOT NULL,
  metric_value double precision,
  dimension_type varchar(50),
  dimension_value varchar(255),
  period varchar(20),
  period_start timestamptz,
  period_end timestamptz,
  tags varchar[] DEFAULT '{}',
  metadata jsonb DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_analytics_metrics_metric_name ON public.analytics_metrics (metric_name);
CREATE INDEX ix_analytics_metrics_dimension_type ON public.analytics_metrics (dimension_type);
CREATE INDEX ix_analytics_metrics_dimension_value ON public.analytics_metrics (dimension_value);
CREATE INDEX ix_analytics_metrics_period ON public.analytics_metrics (period);
CREATE INDEX ix_analytics_metrics_period_start ON public.analytics_metrics (period_start);
CREATE INDEX ix_analytics_metrics_period_end ON public.analytics_metrics (period_end);
CREATE INDEX ix_analytics_metrics_created_at ON public.analytics_metrics (created_at);
CREATE INDEX ix_analytics_metrics_metric_name_period_start ON public.analytics_metrics (metric_name, period_start);
COMMENT ON TABLE public.analytics_metrics IS 'Figures about the platform over time; rows are only added';
COMMENT ON COLUMN public.analytics_metrics.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.analytics_metrics.metric_name IS 'Name of the metric';
COMMENT ON COLUMN public.analytics_metrics.metric_value IS 'The figure';
COMMENT ON COLUMN public.analytics_metrics.dimension_type IS 'Dimension of the figure';
COMMENT ON COLUMN public.analytics_metrics.dimension_value IS 'Which part of the breakdown it is for';
COMMENT ON COLUMN public.analytics_metrics.period IS 'Period: daily, weekly or monthly';
COMMENT ON COLUMN public.analytics_metrics.period_start IS 'When the period begins';
COMMENT ON COLUMN public.analytics_metrics.period_end IS 'When the period ends';
COMMENT ON COLUMN public.analytics_metrics.tags IS 'Words to find the figure by';
COMMENT ON COLUMN public.analytics_metrics.metadata IS 'Flexible metadata storage';
COMMENT ON COLUMN public.analytics_metrics.created_at IS 'Creation timestamp';

-- step: Creating the document_chunks table
CREATE TABLE public.document_chunks (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  document_id uuid,
  project_id uuid,
  chunk_index integer NOT NULL,
  content text NOT NULL,
  chunk_type varchar(50),
  source_section varchar(255),
  tokens_count integer,
  embedding_id varchar(255),
  has_embedding boolean NOT NULL DEFAULT false,
  relevance_score double precision,
  search_count integer NOT NULL DEFAULT 0,
  metadata jsonb DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT fk_document_chunks_document_id FOREIGN KEY (document_id) REFERENCES public.knowledge_base_documents (id) ON DELETE CASCADE,
  CONSTRAINT fk_document_chunks_project_id FOREIGN KEY (project_id) REFERENCES public.projects (id) ON DELETE CASCADE
);
CREATE INDEX ix_document_chunks_document_id ON public.document_chunks (document_id);
CREATE INDEX ix_document_chunks_project_id ON public.document_chunks (project_id);
CREATE INDEX ix_document_chunks_chunk_type ON public.document_chunks (chunk_type);
CREATE INDEX ix_document_chunks_has_embedding ON public.document_chunks (has_embedding);
CREATE INDEX ix_document_chunks_search_count ON public.document_chunks (search_count);
CREATE INDEX ix_document_chunks_created_at ON public.document_chunks (created_at);
CREATE INDEX ix_document_chunks_updated_at ON public.document_chunks (updated_at);
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.document_chunks
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
COMMENT ON TABLE public.document_chunks IS 'Parts of documents, as a search finds them';
COMMENT ON COLUMN public.document_chunks.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.document_chunks.document_id IS 'Reference to knowledge_base_documents.id, which it is part of';
COMMENT ON COLUMN public.document_chunks.project_id IS 'Reference to projects.id, the project it belongs to';
COMMENT ON COLUMN public.document_chunks.chunk_index IS 'Place of the part in its document';
COMMENT ON COLUMN public.document_chunks.content IS 'Text of the part';
COMMENT ON COLUMN public.document_chunks.chunk_type IS 'Type of the part';
COMMENT ON COLUMN public.document_chunks.source_section IS 'Section of the document it comes from';
COMMENT ON COLUMN public.document_chunks.tokens_count IS 'Number of tokens in the part';
COMMENT ON COLUMN public.document_chunks.embedding_id IS 'Id of the embedding in the vector store';
COMMENT ON COLUMN public.document_chunks.has_embedding IS 'Whether the part has an embedding';
COMMENT ON COLUMN public.document_chunks.relevance_score IS 'How much the part helps';
COMMENT ON COLUMN public.document_chunks.search_count IS 'How often a search found the part';
COMMENT ON COLUMN public.document_chunks.metadata IS 'Flexible metadata storage';
COMMENT ON COLUMN public.document_chunks.created_at IS 'Creation timestamp';
COMMENT ON COLUMN public.document_chunks.updated_at IS 'Last update timestamp, kept by the trigger set_updated_at';

-- step: Creating the notification_preferences table
CREATE TABLE public.notification_preferences (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL,
  notification_type varchar(100) NOT NULL,
  email_enabled boolean NOT NULL DEFAULT true,
  in_app_enabled boolean NOT NULL DEFAULT true,
  slack_enabled boolean NOT NULL DEFAULT false,
  frequency varchar(50) DEFAULT 'immediate',
  quiet_hours_enabled boolean NOT NULL DEFAULT false,
  quiet_hours_start varchar(5),
  quiet_hours_end varchar(5),
  metadata jsonb DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_notification_preferences_user_type UNIQUE (user_id, notification_type)
);
CREATE INDEX ix_notification_preferences_user_id ON public.notification_preferences (user_id);
CREATE INDEX ix_notification_preferences_notification_type ON public.notification_preferences (notification_type);
CREATE INDEX ix_notification_preferences_email_enabled ON public.notification_preferences (email_enabled);
CREATE INDEX ix_notification_preferences_in_app_enabled ON public.notification_preferences (in_app_enabled);
CREATE INDEX ix_notification_preferences_created_at ON public.notification_preferences (created_at);
CREATE INDEX ix_notification_preferences_updated_at ON public.notification_preferences (updated_at);
CREATE TRIGGER set_updated_at BEFORE UPDATE ON public.notification_preferences
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION public.set_updated_at();
COMMENT ON TABLE public.notification_preferences IS 'Notifications that each user wants, and how they are sent';
COMMENT ON COLUMN public.notification_preferences.id IS 'Unique identifier (UUID)';
COMMENT ON COLUMN public.notification_preferences.user_id IS 'Reference to users.id in socrates_auth (no FK - cross-database)';
COMMENT ON COLUMN public.notification_preferences.notification_type IS 'Topic of the notification';
COMMENT ON COLUMN public.notification_preferences.email_enabled IS 'Whether it is sent by email';
COMMENT ON COLUMN public.notification_preferences.in_app_enabled IS 'Whether it is shown in the application';
COMMENT ON COLUMN public.notification_preferences.slack_enabled IS 'Whether it is sent to Slack';
COMMENT ON COLUMN public.notification_preferences.frequency IS 'Frequency: immediate, daily, weekly or off';
COMMENT ON COLUMN public.notification_preferences.quiet_hours_enabled IS 'Whether there are hours without notifications';
COMMENT ON COLUMN public.notification_preferences.quiet_hours_start IS 'When these hours begin, as HH:MM of the user''s day';
COMMENT ON COLUMN public.notification_preferences.quiet_hours_end IS 'When these hours end, as HH:MM of the user''s day';
COMMENT ON COLUMN public.notification_preferences.metadata IS 'Flexible metadata storage';
COMMENT ON COLUMN public.notification_preferences.created_at IS 'Creation timestamp';
COMMENT ON COLUMN public.notification_preferences.updated_at IS 'Last update timestamp, kept by the trigger set_updated_at';
