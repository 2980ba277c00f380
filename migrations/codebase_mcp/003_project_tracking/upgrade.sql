-- Project tracking
-- Revision: 003
-- Revises: 001
-- Create Date: 2025-10-09
-- Locks: public.tasks
-- Scans: public.tasks
-- Search path: pg_catalog, pg_temp
--
-- Tasks become work items, a tree with a type, a path and a depth, versioned and deleted softly. Around
-- them come vendors, deployments, the links between the three, an archive, future enhancements and the
-- one row of project configuration.

-- step: Extending tasks to work items
ALTER TABLE public.tasks
  ADD COLUMN version integer NOT NULL DEFAULT 1,
  ADD COLUMN item_type varchar(20) NOT NULL DEFAULT 'task',
  ADD COLUMN parent_id uuid,
  ADD COLUMN path varchar(500) NOT NULL DEFAULT '/',
  ADD COLUMN depth integer NOT NULL DEFAULT 0,
  ADD COLUMN deleted_at timestamptz,
  ADD CONSTRAINT ck_work_item_type CHECK (item_type IN ('project', 'session', 'task', 'research')),
  ADD CONSTRAINT ck_work_item_depth CHECK (depth >= 0 AND depth <= 5),
  ADD CONSTRAINT fk_work_item_parent FOREIGN KEY (parent_id) REFERENCES public.tasks (id) ON DELETE SET NULL;
CREATE INDEX idx_work_item_deleted_at ON public.tasks (deleted_at) WHERE deleted_at IS NULL;
CREATE INDEX idx_work_item_parent_id ON public.tasks (parent_id);
CREATE INDEX idx_work_item_path ON public.tasks (path);
CREATE INDEX idx_work_item_type ON public.tasks (item_type);

-- step: Creating vendors and deployments
CREATE TABLE public.vendor_extractors (
  id uuid NOT NULL,
  version integer NOT NULL DEFAULT 1,
  name varchar(100) NOT NULL,
  status varchar(20) NOT NULL,
  extractor_version varchar(50) NOT NULL,
  metadata jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  created_by varchar(100) NOT NULL,
  CONSTRAINT vendor_extractors_pkey PRIMARY KEY (id),
  CONSTRAINT ck_vendor_status CHECK (status IN ('operational', 'broken'))
);
CREATE UNIQUE INDEX idx_vendor_name ON public.vendor_extractors (name);
CREATE INDEX idx_vendor_status ON public.vendor_extractors (status);

CREATE TABLE public.deployment_events (
  id uuid NOT NULL,
  deployed_at timestamptz NOT NULL,
  commit_hash varchar(40) NOT NULL,
  metadata jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  created_by varchar(100) NOT NULL,
  CONSTRAINT deployment_events_pkey PRIMARY KEY (id),
  CONSTRAINT ck_commit_hash_format CHECK (commit_hash ~ '^[a-f0-9]{40}$')
);
CREATE INDEX idx_deployment_commit_hash ON public.deployment_events (commit_hash);
CREATE INDEX idx_deployment_deployed_at ON public.deployment_events (deployed_at DESC);

-- step: Creating configuration and enhancements
CREATE TABLE public.project_configuration (
  id serial NOT NULL,
  active_context_type varchar(50) NOT NULL,
  current_session_id uuid,
  git_branch varchar(100),
  git_head_commit varchar(40),
  default_token_budget integer NOT NULL DEFAULT 200000,
  database_healthy boolean NOT NULL DEFAULT true,
  last_health_check_at timestamptz,
  updated_at timestamptz NOT NULL,
  updated_by varchar(100) NOT NULL,
  CONSTRAINT project_configuration_pkey PRIMARY KEY (id),
  CONSTRAINT ck_singleton CHECK (id = 1),
  CONSTRAINT fk_current_session FOREIGN KEY (current_session_id) REFERENCES public.tasks (id) ON DELETE SET NULL
);

CREATE TABLE public.future_enhancements (
  id uuid NOT NULL,
  title varchar(200) NOT NULL,
  description text NOT NULL,
  priority integer NOT NULL,
  status varchar(20) NOT NULL DEFAULT 'planned',
  target_quarter varchar(10),
  requires_constitutional_principles jsonb NOT NULL DEFAULT '[]',
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  created_by varchar(100) NOT NULL,
  CONSTRAINT future_enhancements_pkey PRIMARY KEY (id),
  CONSTRAINT ck_enhancement_status CHECK (status IN ('planned', 'approved', 'implementing', 'completed')),
  CONSTRAINT ck_priority_range CHECK (priority >= 1 AND priority <= 5)
);
CREATE INDEX idx_enhancement_priority ON public.future_enhancements (priority);
CREATE INDEX idx_enhancement_status ON public.future_enhancements (status);

-- step: Creating dependencies and deployment links
CREATE TABLE public.work_item_dependencies (
  source_id uuid NOT NULL REFERENCES public.tasks (id) ON DELETE CASCADE,
  target_id uuid NOT NULL REFERENCES public.tasks (id) ON DELETE CASCADE,
  dependency_type varchar(20) NOT NULL,
  created_at timestamptz NOT NULL,
  created_by varchar(100) NOT NULL,
  CONSTRAINT work_item_dependencies_pkey PRIMARY KEY (source_id, target_id),
  CONSTRAINT ck_dependency_type CHECK (dependency_type IN ('blocks', 'depends_on')),
  CONSTRAINT ck_no_self_dependency CHECK (source_id <> target_id)
);
CREATE INDEX idx_dependency_source_id ON public.work_item_dependencies (source_id);
CREATE INDEX idx_dependency_target_id ON public.work_item_dependencies (target_id);

CREATE TABLE public.vendor_deployment_links (
  deployment_id uuid NOT NULL REFERENCES public.deployment_events (id) ON DELETE CASCADE,
  vendor_id uuid NOT NULL REFERENCES public.vendor_extractors (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL,
  CONSTRAINT vendor_deployment_links_pkey PRIMARY KEY (deployment_id, vendor_id)
);
CREATE INDEX idx_vendor_deployment_deployment_id ON public.vendor_deployment_links (deployment_id);
CREATE INDEX idx_vendor_deployment_vendor_id ON public.vendor_deployment_links (vendor_id);

CREATE TABLE public.work_item_deployment_links (
  deployment_id uuid NOT NULL REFERENCES public.deployment_events (id) ON DELETE CASCADE,
  work_item_id uuid NOT NULL REFERENCES public.tasks (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL,
  CONSTRAINT work_item_deployment_links_pkey PRIMARY KEY (deployment_id, work_item_id)
);
CREATE INDEX idx_work_item_deployment_deployment_id ON public.work_item_deployment_links (deployment_id);
CREATE INDEX idx_work_item_deployment_work_item_id ON public.work_item_deployment_links (work_item_id);

-- step: Creating the archive of work items
CREATE TABLE public.archived_work_items (
  id uuid NOT NULL,
  item_type varchar(20) NOT NULL,
  title varchar(200) NOT NULL,
  status varchar(20) NOT NULL,
  parent_id uuid,
  path varchar(500) NOT NULL,
  depth integer NOT NULL,
  branch_name varchar(100),
  commit_hash varchar(40),
  pr_number integer,
  metadata jsonb NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  created_by varchar(100) NOT NULL,
  archived_at timestamptz NOT NULL,
  CONSTRAINT archived_work_items_pkey PRIMARY KEY (id)
);
CREATE INDEX idx_archived_work_item_archived_at ON public.archived_work_items (archived_at);
CREATE INDEX idx_archived_work_item_created_at ON public.archived_work_items (created_at);
CREATE INDEX idx_archived_work_item_type ON public.archived_work_items (item_type);
