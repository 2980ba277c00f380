-- Rollback: Remove non-search tables
-- Revision: 002
-- Locks: public.repositories, public.code_chunks, retired_002.archived_work_items, retired_002.work_item_deployment_links, retired_002.vendor_deployment_links, retired_002.work_item_dependencies, retired_002.future_enhancements, retired_002.project_configuration, retired_002.deployment_events, retired_002.vendor_extractors, retired_002.tasks
--
-- Before finalize the nine tables move back from schema retired_002 with every row. After it they are created as at
-- revision 005, empty. A project_id column that the upgrade found stays as it is. Running this file again on a
-- downgraded schema changes nothing.

-- step: Dropping performance index
-- The steps below read this setting. It ends with the transaction.
SET LOCAL backstop_002.unused_tables =
  'archived_work_items work_item_deployment_links vendor_deployment_links work_item_dependencies '
  'future_enhancements project_configuration deployment_events vendor_extractors tasks';
DROP INDEX IF EXISTS public.idx_project_repository;

-- step: Dropping validation constraints
-- A project_id column is the work of this revision if it has the constraint, without the comment for a column that
-- the upgrade found. The constraint is gone after this step, so the steps below read a setting.
DO $do$ BEGIN
  PERFORM set_config('backstop_002.own_columns', coalesce(string_agg(relname, ' '), ''), true)
  FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
  WHERE conrelid IN ('public.repositories'::regclass, 'public.code_chunks'::regclass)
    AND conname = format('check_%s_project_id', relname)
    AND obj_description(pg_constraint.oid, 'pg_constraint')
      IS DISTINCT FROM 'Revision 002 found the column, so its downgrade keeps it.';
END $do$;
ALTER TABLE public.code_chunks DROP CONSTRAINT IF EXISTS check_code_chunks_project_id;
ALTER TABLE public.repositories DROP CONSTRAINT IF EXISTS check_repositories_project_id;

-- step: Dropping project_id from code_chunks
DO $do$ BEGIN
  IF 'code_chunks' = ANY (string_to_array(current_setting('backstop_002.own_columns'), ' ')) THEN
    ALTER TABLE public.code_chunks DROP COLUMN IF EXISTS project_id;
  ELSIF EXISTS (
    SELECT FROM pg_attribute WHERE attrelid = 'public.code_chunks'::regclass AND attname = 'project_id'
  ) THEN
    -- V8.1 looks for this notice.
    RAISE NOTICE 'Column project_id of code_chunks kept, revision 002 did not add it';
  END IF;
END $do$;

-- step: Dropping project_id from repositories
DO $do$
DECLARE
  values_dropped boolean;
BEGIN
  IF NOT EXISTS (
    SELECT FROM pg_attribute WHERE attrelid = 'public.repositories'::regclass AND attname = 'project_id'
  ) THEN
    RETURN;
  END IF;
  IF 'repositories' <> ALL (string_to_array(current_setting('backstop_002.own_columns'), ' ')) THEN
    RAISE NOTICE 'Column project_id of repositories kept, revision 002 did not add it';
    RETURN;
  END IF;
  -- Only repositories is read, which is small: chunks hold their repositories' values. Policies that hide rows keep
  -- the answer away, but do not stop the downgrade.
  IF NOT row_security_active('public.repositories') THEN
    values_dropped := EXISTS (SELECT FROM public.repositories WHERE project_id <> 'default');
  END IF;
  ALTER TABLE public.repositories DROP COLUMN project_id;
  IF values_dropped THEN
    RAISE WARNING 'Values of project_id other than ''default'' dropped. Restore from backup if needed.';
  END IF;
END $do$;

-- step: Restoring dropped tables (schema only)
-- An earlier version of this revision moved the tables without the record that restore() reads.
SELECT backstop.retired_by_hand(VARIADIC ARRAY(
  SELECT 'public.' || name FROM string_to_table(current_setting('backstop_002.unused_tables'), ' ') AS name));
DO $do$
DECLARE
  unused CONSTANT text[] := string_to_array(current_setting('backstop_002.unused_tables'), ' ');
  clashing CONSTANT text[] := ARRAY(
    SELECT relname FROM pg_class
    WHERE relnamespace = to_regnamespace('retired_002') AND relname = ANY (unused) AND to_regclass('public.' || relname) IS NOT NULL
    ORDER BY relname
  );
  missing bigint;
  restored bigint;
  lost text[];
  statement text;
BEGIN
  IF cardinality(clashing) > 0 THEN
    RAISE EXCEPTION USING
      ERRCODE = 'duplicate_table',
      MESSAGE = format('Table "%s" was created in public while the retired one of that name waits in retired_002', clashing[1]),
      DETAIL = format('In public and in retired_002: %s', array_to_string(clashing, ', ')),
      HINT = format('Run: CREATE SCHEMA IF NOT EXISTS kept_002; %s', (
        SELECT string_agg(format('ALTER TABLE public.%I SET SCHEMA kept_002;', clash), ' ')
        FROM unnest(clashing) AS clash
      ));
  END IF;
  missing := (SELECT count(*) FROM unnest(unused) AS name WHERE to_regclass('public.' || name) IS NULL);
  restored := backstop.restore();

  -- There is no record of tables that were not there at the upgrade, or that an earlier version of finalize dropped.
  lost := ARRAY(SELECT name FROM unnest(unused) AS name WHERE to_regclass(format('public.%I', name)) IS NULL);
  FOR statement IN SELECT ddl FROM (VALUES
    ('tasks', $ddl$ CREATE TABLE public.tasks (
      id uuid NOT NULL, title varchar NOT NULL, description text, notes text,
      status varchar NOT NULL DEFAULT 'need to be done', created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
      updated_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, version integer NOT NULL,
      item_type varchar(20) NOT NULL DEFAULT 'task', parent_id uuid, path varchar(500) NOT NULL DEFAULT '/',
      depth integer NOT NULL DEFAULT 0, deleted_at timestamptz, branch_name varchar(100), commit_hash varchar(40),
      pr_number integer, metadata jsonb, created_by varchar(100) NOT NULL DEFAULT 'system',
      CONSTRAINT pk_tasks PRIMARY KEY (id),
      CONSTRAINT ck_tasks_valid_status CHECK (status IN ('need to be done', 'in-progress', 'complete')),
      CONSTRAINT ck_work_item_type CHECK (item_type IN ('project', 'session', 'task', 'research')),
      CONSTRAINT ck_work_item_depth CHECK (depth >= 0 AND depth <= 5),
      CONSTRAINT fk_work_item_parent FOREIGN KEY (parent_id) REFERENCES public.tasks (id) ON DELETE SET NULL);
      CREATE INDEX ix_tasks_status ON public.tasks (status);
      CREATE INDEX idx_work_item_deleted_at ON public.tasks (deleted_at) WHERE deleted_at IS NULL;
      CREATE INDEX idx_work_item_parent_id ON public.tasks (parent_id);
      CREATE INDEX idx_work_item_path ON public.tasks (path);
      CREATE INDEX idx_work_item_type ON public.tasks (item_type) $ddl$),
    ('vendor_extractors', $ddl$ CREATE TABLE public.vendor_extractors (
      id uuid NOT NULL, version integer NOT NULL, name varchar(100) NOT NULL, status varchar(20) NOT NULL,
      extractor_version varchar(50) NOT NULL, metadata jsonb NOT NULL, created_at timestamptz NOT NULL,
      updated_at timestamptz NOT NULL, created_by varchar(100) NOT NULL,
      CONSTRAINT vendor_extractors_pkey PRIMARY KEY (id),
      CONSTRAINT ck_vendor_status CHECK (status IN ('operational', 'broken')));
      CREATE UNIQUE INDEX idx_vendor_name_lower ON public.vendor_extractors (lower(name));
      CREATE INDEX idx_vendor_status ON public.vendor_extractors (status) $ddl$),
    ('deployment_events', $ddl$ CREATE TABLE public.deployment_events (
      id uuid NOT NULL, deployed_at timestamptz NOT NULL, commit_hash varchar(40) NOT NULL, metadata jsonb NOT NULL,
      created_at timestamptz NOT NULL, created_by varchar(100) NOT NULL,
      CONSTRAINT deployment_events_pkey PRIMARY KEY (id),
      CONSTRAINT ck_commit_hash_format CHECK (commit_hash ~ '^[a-f0-9]{40}$'));
      CREATE INDEX idx_deployment_commit_hash ON public.deployment_events (commit_hash);
      CREATE INDEX idx_deployment_deployed_at ON public.deployment_events (deployed_at DESC) $ddl$),
    ('project_configuration', $ddl$ CREATE TABLE public.project_configuration (
      id serial NOT NULL, active_context_type varchar(50) NOT NULL, current_session_id uuid, git_branch varchar(100),
      git_head_commit varchar(40), default_token_budget integer NOT NULL DEFAULT 200000,
      database_healthy boolean NOT NULL DEFAULT true, last_health_check_at timestamptz,
      updated_at timestamptz NOT NULL, updated_by varchar(100) NOT NULL,
      CONSTRAINT project_configuration_pkey PRIMARY KEY (id), CONSTRAINT ck_singleton CHECK (id = 1),
      CONSTRAINT fk_current_session FOREIGN KEY (current_session_id) REFERENCES public.tasks (id) ON DELETE SET NULL) $ddl$),
    ('future_enhancements', $ddl$ CREATE TABLE public.future_enhancements (
      id uuid NOT NULL, title varchar(200) NOT NULL, description text NOT NULL, priority integer NOT NULL,
      status varchar(20) NOT NULL DEFAULT 'planned', target_quarter varchar(10),
      requires_constitutional_principles jsonb NOT NULL DEFAULT '[]', created_at timestamptz NOT NULL,
      updated_at timestamptz NOT NULL, created_by varchar(100) NOT NULL,
      CONSTRAINT future_enhancements_pkey PRIMARY KEY (id),
      CONSTRAINT ck_enhancement_status CHECK (status IN ('planned', 'approved', 'implementing', 'completed')),
      CONSTRAINT ck_priority_range CHECK (priority >= 1 AND priority <= 5));
      CREATE INDEX idx_enhancement_priority ON public.future_enhancements (priority);
      CREATE INDEX idx_enhancement_status ON public.future_enhancements (status) $ddl$),
    ('work_item_dependencies', $ddl$ CREATE TABLE public.work_item_dependencies (
      source_id uuid NOT NULL REFERENCES public.tasks (id) ON DELETE CASCADE,
      target_id uuid NOT NULL REFERENCES public.tasks (id) ON DELETE CASCADE, dependency_type varchar(20) NOT NULL,
      created_at timestamptz NOT NULL, created_by varchar(100) NOT NULL,
      CONSTRAINT work_item_dependencies_pkey PRIMARY KEY (source_id, target_id),
      CONSTRAINT ck_dependency_type CHECK (dependency_type IN ('blocks', 'depends_on')),
      CONSTRAINT ck_no_self_dependency CHECK (source_id <> target_id));
      CREATE INDEX idx_dependency_source_id ON public.work_item_dependencies (source_id);
      CREATE INDEX idx_dependency_target_id ON public.work_item_dependencies (target_id) $ddl$),
    ('vendor_deployment_links', $ddl$ CREATE TABLE public.vendor_deployment_links (
      deployment_id uuid NOT NULL REFERENCES public.deployment_events (id) ON DELETE CASCADE,
      vendor_id uuid NOT NULL REFERENCES public.vendor_extractors (id) ON DELETE CASCADE,
      created_at timestamptz NOT NULL, CONSTRAINT vendor_deployment_links_pkey PRIMARY KEY (deployment_id, vendor_id));
      CREATE INDEX idx_vendor_deployment_deployment_id ON public.vendor_deployment_links (deployment_id);
      CREATE INDEX idx_vendor_deployment_vendor_id ON public.vendor_deployment_links (vendor_id) $ddl$),
    ('work_item_deployment_links', $ddl$ CREATE TABLE public.work_item_deployment_links (
      deployment_id uuid NOT NULL REFERENCES public.deployment_events (id) ON DELETE CASCADE,
      work_item_id uuid NOT NULL REFERENCES public.tasks (id) ON DELETE CASCADE, created_at timestamptz NOT NULL,
      CONSTRAINT work_item_deployment_links_pkey PRIMARY KEY (deployment_id, work_item_id));
      CREATE INDEX idx_work_item_deployment_deployment_id ON public.work_item_deployment_links (deployment_id);
      CREATE INDEX idx_work_item_deployment_work_item_id ON public.work_item_deployment_links (work_item_id) $ddl$),
    ('archived_work_items', $ddl$ CREATE TABLE public.archived_work_items (
      id uuid NOT NULL, item_type varchar(20) NOT NULL, title varchar(200) NOT NULL, status varchar(20) NOT NULL,
      parent_id uuid, path varchar(500) NOT NULL, depth integer NOT NULL, branch_name varchar(100),
      commit_hash varchar(40), pr_number integer, metadata jsonb NOT NULL, deleted_at timestamptz,
      created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, created_by varchar(100) NOT NULL,
      archived_at timestamptz NOT NULL, CONSTRAINT archived_work_items_pkey PRIMARY KEY (id));
      CREATE INDEX idx_archived_work_item_archived_at ON public.archived_work_items (archived_at);
      CREATE INDEX idx_archived_work_item_created_at ON public.archived_work_items (created_at);
      CREATE INDEX idx_archived_work_item_type ON public.archived_work_items (item_type) $ddl$)
  ) AS made (name, ddl) WHERE name = ANY (lost) LOOP
    EXECUTE statement;
  END LOOP;
  IF cardinality(lost) > 0 THEN
    RAISE WARNING 'Data in dropped tables NOT restored. Restore from backup if needed.';
  END IF;
  RAISE INFO '%', CASE WHEN restored = missing THEN format('%s tables restored with every row', restored)
    WHEN restored = 0 THEN format('%s tables restored', missing)
    ELSE format('%s tables restored, %s of them with every row', cardinality(unused), restored) END;
END $do$;

-- step: Running validation
DO $do$
DECLARE
  failures text;
BEGIN
  SELECT string_agg(failure, '; ') INTO failures FROM (
    SELECT format('%s.project_id is still there', core)
    FROM string_to_table(current_setting('backstop_002.own_columns'), ' ') AS core
    JOIN pg_attribute ON attrelid = to_regclass('public.' || core) AND attname = 'project_id'
    UNION ALL
    SELECT format('%s is not in public', name)
    FROM string_to_table(current_setting('backstop_002.unused_tables'), ' ') AS name
    WHERE to_regclass('public.' || name) IS NULL
    UNION ALL
    -- The counters of this transaction say whether a row came or went.
    SELECT format('%s rows inserted into and %s deleted from %I', n_tup_ins, n_tup_del, relname)
    FROM pg_stat_xact_user_tables
    WHERE relid IN ('public.repositories'::regclass, 'public.code_chunks'::regclass)
      AND (n_tup_ins <> 0 OR n_tup_del <> 0)
  ) AS found (failure);
  IF failures IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = 'raise_exception',
      MESSAGE = 'The downgrade of revision 002 did not restore the schema of 005',
      DETAIL = failures,
      HINT = 'Look for a trigger or an event trigger that changes what this downgrade does, and disable it for the run.';
  END IF;
END $do$;
