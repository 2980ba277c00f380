-- Rollback: Remove non-search tables
-- Revision: 002
-- Locks: public.repositories, public.code_chunks, retired_002.archived_work_items, retired_002.work_item_deployment_links, retired_002.vendor_deployment_links, retired_002.work_item_dependencies, retired_002.future_enhancements, retired_002.project_configuration, retired_002.deployment_events, retired_002.vendor_extractors, retired_002.tasks, retired_002.found_repositories, retired_002.found_code_chunks
--
-- Before finalize the nine tables move back from schema retired_002 with every row; after it they are
-- created as at revision 005, empty. A column project_id that the upgrade found stays, as it was found.
-- Running this again on a downgraded schema changes nothing.

-- step: Dropping performance index
DROP INDEX IF EXISTS public.idx_project_repository;

-- step: Dropping validation constraints
ALTER TABLE public.code_chunks DROP CONSTRAINT IF EXISTS check_code_chunks_project_id;
ALTER TABLE public.repositories DROP CONSTRAINT IF EXISTS check_repositories_project_id;

-- step: Dropping project_id from code_chunks
-- A trigger event left pending by an UPDATE would forbid the ALTER TABLE or DROP TABLE after it.
SET CONSTRAINTS ALL IMMEDIATE;

-- The column of a table that has a record stood there before the upgrade. The record gives back its default, its
-- nullability and the values that nobody has changed since; that it stays, empty, tells that the column may.
DO $do$
DECLARE
  core record;
  key text;
  known bigint;
  given_back bigint;
BEGIN
  FOR core IN
    SELECT table_name, record_name, pg_get_expr(adbin, adrelid) AS default_value, attnotnull AS not_null
    FROM (VALUES
      ('code_chunks', 'found_code_chunks'), ('repositories', 'found_repositories')
    ) AS core (table_name, record_name)
    JOIN pg_attribute ON attrelid = to_regclass('retired_002.' || record_name) AND attname = 'project_id'
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE EXISTS (
      SELECT FROM pg_attribute WHERE attrelid = format('public.%I', table_name)::regclass AND attname = 'project_id'
    )
  LOOP
    EXECUTE format('ALTER TABLE public.%I ALTER COLUMN project_id %s', core.table_name,
      coalesce('SET DEFAULT ' || core.default_value, 'DROP DEFAULT'));
    IF NOT core.not_null THEN
      EXECUTE format('ALTER TABLE public.%I ALTER COLUMN project_id DROP NOT NULL', core.table_name);
    END IF;

    EXECUTE format('SELECT CASE jsonb_typeof(key) WHEN ''object'' THEN ''to_jsonb(held) - ''''project_id'''''' '
      'ELSE ''to_jsonb(held.id)'' END FROM retired_002.%I LIMIT 1', core.record_name) INTO key;
    given_back := 0;
    IF key IS NOT NULL THEN
      -- Numbered, because rows without a unique id may be alike: each of them gets the value of one.
      EXECUTE format($give_back$
        WITH known AS MATERIALIZED (
          SELECT now.tableoid, now.ctid, was.project_id
          FROM (
            SELECT tableoid, ctid, %3$s AS key, project_id AS became,
              row_number() OVER (PARTITION BY %3$s, project_id) AS number
            FROM public.%1$I AS held
          ) AS now
          JOIN (
            SELECT key, became, project_id, row_number() OVER (PARTITION BY key, became) AS number
            FROM retired_002.%2$I
          ) AS was USING (key, became, number)
        ), updated AS (
          UPDATE public.%1$I AS held SET project_id = known.project_id
          FROM known
          WHERE held.tableoid = known.tableoid AND held.ctid = known.ctid
          RETURNING held.project_id IS NOT DISTINCT FROM known.project_id AS given_back
        )
        SELECT count(*) FILTER (WHERE given_back), (SELECT count(*) FROM known) FROM updated
      $give_back$, core.table_name, core.record_name, key) INTO given_back, known;
      IF given_back < known THEN
        RAISE EXCEPTION USING
          ERRCODE = 'triggered_data_change_violation',
          MESSAGE = format('Rows of %I did not take back the project_id they had before revision 002', core.table_name),
          DETAIL = format('A trigger kept %s of %s rows from it.', known - given_back, known),
          HINT = format('Disable triggers for the run: ALTER TABLE public.%I DISABLE TRIGGER USER;', core.table_name);
      END IF;
      EXECUTE format('DELETE FROM retired_002.%I', core.record_name);
    END IF;
    RAISE NOTICE 'Column project_id of % kept, it stood there before revision 002; % rows took their value back',
      core.table_name, given_back;
  END LOOP;
END
$do$;

DO $do$
BEGIN
  IF to_regclass('retired_002.found_code_chunks') IS NULL THEN
    ALTER TABLE public.code_chunks DROP COLUMN IF EXISTS project_id;
  END IF;
END
$do$;

-- step: Dropping project_id from repositories
DO $do$
DECLARE
  projects_told boolean;
BEGIN
  IF to_regclass('retired_002.found_repositories') IS NOT NULL THEN
    RETURN;
  END IF;
  -- Asked of repositories alone, which are few: chunks hold their repositories' values. Policies that hide rows
  -- keep the answer away, not the downgrade.
  IF EXISTS (
    SELECT FROM pg_attribute WHERE attrelid = 'public.repositories'::regclass AND attname = 'project_id'
  ) AND NOT row_security_active('public.repositories') THEN
    projects_told := EXISTS (SELECT FROM public.repositories WHERE project_id <> 'default');
  END IF;
  ALTER TABLE public.repositories DROP COLUMN IF EXISTS project_id;
  IF projects_told THEN
    RAISE WARNING 'Values of project_id other than ''default'' dropped. Restore from backup if needed.';
  END IF;
END
$do$;

-- step: Restoring dropped tables (schema only)
DO $do$
DECLARE
  unused CONSTANT text[] := ARRAY[
    'archived_work_items', 'work_item_deployment_links', 'vendor_deployment_links', 'work_item_dependencies',
    'future_enhancements', 'project_configuration', 'deployment_events', 'vendor_extractors', 'tasks'
  ];
  retired CONSTANT text[] := ARRAY(
    SELECT relname FROM pg_class
    WHERE relnamespace = to_regnamespace('retired_002') AND relkind IN ('r', 'p') AND relname = ANY (unused)
    ORDER BY array_position(unused, relname::text)
  );
  clashing CONSTANT text[] := ARRAY(
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname = ANY (retired)
    ORDER BY relname
  );
  lost text[];
  table_name text;
BEGIN
  IF cardinality(clashing) > 0 THEN
    RAISE EXCEPTION USING
      ERRCODE = 'duplicate_table',
      MESSAGE = format('Table "%s" was created in public while the retired one of that name waits in retired_002', clashing[1]),
      DETAIL = format('In public and in retired_002 stand: %s', array_to_string(clashing, ', ')),
      HINT = format('Run: CREATE SCHEMA IF NOT EXISTS kept_002; %s', (
        SELECT string_agg(format('ALTER TABLE public.%I SET SCHEMA kept_002;', clash), ' ')
        FROM unnest(clashing) AS clash
      ));
  END IF;

  FOREACH table_name IN ARRAY retired LOOP
    EXECUTE format('ALTER TABLE retired_002.%I SET SCHEMA public', table_name);
  END LOOP;
  -- The records of found columns keep the schema; then whatever else is in it is no matter of this step.
  IF to_regnamespace('retired_002') IS NOT NULL
    AND to_regclass('retired_002.found_repositories') IS NULL
    AND to_regclass('retired_002.found_code_chunks') IS NULL
  THEN
    BEGIN
      DROP SCHEMA retired_002 RESTRICT;
    EXCEPTION WHEN dependent_objects_still_exist THEN
      RAISE NOTICE 'Schema retired_002 kept, it holds objects that revision 002 did not retire';
    END;
  END IF;

  lost := ARRAY(SELECT name FROM unnest(unused) AS name WHERE to_regclass(format('public.%I', name)) IS NULL);
  IF cardinality(lost) = 0 THEN
    RAISE INFO '% tables restored with every row', cardinality(retired);
    RETURN;
  END IF;

  IF 'tasks' = ANY (lost) THEN
    CREATE TABLE public.tasks (
      id uuid NOT NULL,
      title varchar NOT NULL,
      description text,
      notes text,
      status varchar NOT NULL DEFAULT 'need to be done',
      created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
      updated_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
      version integer NOT NULL,
      item_type varchar(20) NOT NULL DEFAULT 'task',
      parent_id uuid,
      path varchar(500) NOT NULL DEFAULT '/',
      depth integer NOT NULL DEFAULT 0,
      deleted_at timestamptz,
      branch_name varchar(100),
      commit_hash varchar(40),
      pr_number integer,
      metadata jsonb,
      created_by varchar(100) NOT NULL DEFAULT 'system',
      CONSTRAINT pk_tasks PRIMARY KEY (id),
      CONSTRAINT ck_tasks_valid_status CHECK (status IN ('need to be done', 'in-progress', 'complete')),
      CONSTRAINT ck_work_item_type CHECK (item_type IN ('project', 'session', 'task', 'research')),
      CONSTRAINT ck_work_item_depth CHECK (depth >= 0 AND depth <= 5),
      CONSTRAINT fk_work_item_parent FOREIGN KEY (parent_id) REFERENCES public.tasks (id) ON DELETE SET NULL
    );
    CREATE INDEX ix_tasks_status ON public.tasks (status);
    CREATE INDEX idx_work_item_deleted_at ON public.tasks (deleted_at) WHERE deleted_at IS NULL;
    CREATE INDEX idx_work_item_parent_id ON public.tasks (parent_id);
    CREATE INDEX idx_work_item_path ON public.tasks (path);
    CREATE INDEX idx_work_item_type ON public.tasks (item_type);
  END IF;

  IF 'vendor_extractors' = ANY (lost) THEN
    CREATE TABLE public.vendor_extractors (
      id uuid NOT NULL,
      version integer NOT NULL,
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
    CREATE UNIQUE INDEX idx_vendor_name_lower ON public.vendor_extractors (lower(name));
    CREATE INDEX idx_vendor_status ON public.vendor_extractors (status);
  END IF;

  IF 'deployment_events' = ANY (lost) THEN
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
  END IF;

  IF 'project_configuration' = ANY (lost) THEN
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
  END IF;

  IF 'future_enhancements' = ANY (lost) THEN
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
  END IF;

  IF 'work_item_dependencies' = ANY (lost) THEN
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
  END IF;

  IF 'vendor_deployment_links' = ANY (lost) THEN
    CREATE TABLE public.vendor_deployment_links (
      deployment_id uuid NOT NULL REFERENCES public.deployment_events (id) ON DELETE CASCADE,
      vendor_id uuid NOT NULL REFERENCES public.vendor_extractors (id) ON DELETE CASCADE,
      created_at timestamptz NOT NULL,
      CONSTRAINT vendor_deployment_links_pkey PRIMARY KEY (deployment_id, vendor_id)
    );
    CREATE INDEX idx_vendor_deployment_deployment_id ON public.vendor_deployment_links (deployment_id);
    CREATE INDEX idx_vendor_deployment_vendor_id ON public.vendor_deployment_links (vendor_id);
  END IF;

  IF 'work_item_deployment_links' = ANY (lost) THEN
    CREATE TABLE public.work_item_deployment_links (
      deployment_id uuid NOT NULL REFERENCES public.deployment_events (id) ON DELETE CASCADE,
      work_item_id uuid NOT NULL REFERENCES public.tasks (id) ON DELETE CASCADE,
      created_at timestamptz NOT NULL,
      CONSTRAINT work_item_deployment_links_pkey PRIMARY KEY (deployment_id, work_item_id)
    );
    CREATE INDEX idx_work_item_deployment_deployment_id ON public.work_item_deployment_links (deployment_id);
    CREATE INDEX idx_work_item_deployment_work_item_id ON public.work_item_deployment_links (work_item_id);
  END IF;

  IF 'archived_work_items' = ANY (lost) THEN
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
  END IF;

  RAISE WARNING 'Data in dropped tables NOT restored. Restore from backup if needed.';
  IF cardinality(retired) = 0 THEN
    RAISE INFO '% tables restored', cardinality(lost);
  ELSE
    RAISE INFO '% tables restored, % of them with every row', cardinality(unused), cardinality(retired);
  END IF;
END
$do$;

-- step: Running validation
DO $do$
DECLARE
  failures text;
BEGIN
  SELECT string_agg(failure, '; ') INTO failures FROM (
    SELECT format('%s.project_id is still there', attrelid::regclass)
    FROM pg_attribute
    JOIN pg_class AS core ON core.oid = attrelid
    WHERE attrelid IN ('public.repositories'::regclass, 'public.code_chunks'::regclass) AND attname = 'project_id'
      AND to_regclass('retired_002.found_' || core.relname) IS NULL
    UNION ALL
    SELECT format('%I is not in public', name)
    FROM unnest(ARRAY[
      'archived_work_items', 'work_item_deployment_links', 'vendor_deployment_links', 'work_item_dependencies',
      'future_enhancements', 'project_configuration', 'deployment_events', 'vendor_extractors', 'tasks'
    ]) AS name
    WHERE to_regclass(format('public.%I', name)) IS NULL
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
END
$do$;
