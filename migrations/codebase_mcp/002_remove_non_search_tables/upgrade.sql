-- Remove non-search tables and add project_id columns
-- Revision: 002
-- Revises: 005
-- Create Date: 2025-10-11
-- Locks: public.repositories, public.code_chunks, public.archived_work_items, public.work_item_deployment_links, public.vendor_deployment_links, public.work_item_dependencies, public.future_enhancements, public.project_configuration, public.deployment_events, public.vendor_extractors, public.tasks, retired_002.found_repositories, retired_002.found_code_chunks
-- Refuses: 23503 ForeignKeyBlocked, 23502 OrphanedChunks, 23514 PatternViolation, 0A000 ServerTooOld, 42704 ExtensionMissing
-- Counted Steps: 10
-- Scans: public.code_chunks, public.repositories
-- Retires: public.archived_work_items, public.work_item_deployment_links, public.vendor_deployment_links, public.work_item_dependencies, public.future_enhancements, public.project_configuration, public.deployment_events, public.vendor_extractors, public.tasks
--
-- The server searches code and nothing else. The nine feature tables leave public, and repositories and
-- chunks say to which project they belong. No table is rewritten, and no row of the nine is lost: they
-- are retired to schema retired_002 until finalize.sql drops them. A column project_id that stands already
-- is taken over, and as it was it is recorded there, too. Running this again on a migrated schema changes
-- nothing. It relies on repositories (id), code_files (id, repository_id) and
-- code_chunks (code_file_id), whatever their types, and on those of the nine that exist. Where a refusal
-- has a remedy in SQL, its hint carries it after the first colon. Chunks are updated only where a project_id
-- stood before and differs from their repository's: what that takes, no estimate knows.

-- step: Checking prerequisites
DO $do$
DECLARE
  absent text;
  other_type record;
  generated text;
  hidden text;
  namesake record;
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
      DETAIL = 'The search that remains after this revision stores its embeddings in columns of its type.',
      HINT = 'Run: CREATE EXTENSION vector;';
  END IF;

  SELECT string_agg(format('public.%s.%s', needed.table_name, needed.column_name), ', ') INTO absent
  FROM (VALUES
    ('repositories', 'id'), ('code_files', 'id'), ('code_files', 'repository_id'), ('code_chunks', 'code_file_id')
  ) AS needed (table_name, column_name)
  WHERE NOT EXISTS (
    SELECT FROM pg_attribute
    WHERE attrelid = to_regclass('public.' || needed.table_name) AND attname = needed.column_name
  );
  IF absent IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = 'undefined_column',
      MESSAGE = 'The core tables are not as at revision 005',
      DETAIL = format('Missing: %s', absent),
      HINT = 'Check that the connection leads to the codebase_mcp database, and that it is at revision 005.';
  END IF;

  SELECT core.table_name, format_type(atttypid, atttypmod) AS type INTO other_type
  FROM (VALUES ('repositories'), ('code_chunks')) AS core (table_name)
  JOIN pg_attribute ON attrelid = format('public.%I', core.table_name)::regclass AND attname = 'project_id'
  WHERE format_type(atttypid, atttypmod) <> 'character varying(50)'
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING
      ERRCODE = 'datatype_mismatch',
      MESSAGE = format('Column project_id of table %s exists with another type', other_type.table_name),
      DETAIL = format('Its type is %s; this revision adds a project_id character varying(50).', other_type.type),
      HINT = format('Run: ALTER TABLE public.%I RENAME COLUMN project_id TO project_id_before_002;',
        other_type.table_name);
  END IF;

  SELECT core.table_name INTO generated
  FROM (VALUES ('repositories'), ('code_chunks')) AS core (table_name)
  JOIN pg_attribute ON attrelid = format('public.%I', core.table_name)::regclass AND attname = 'project_id'
  WHERE attgenerated <> ''
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING
      ERRCODE = 'generated_always',
      MESSAGE = format('Column project_id of table %s exists as a generated column', generated),
      DETAIL = 'This revision adds one that can be written to.',
      HINT = format('Run: ALTER TABLE public.%I RENAME COLUMN project_id TO project_id_before_002;', generated);
  END IF;

  hidden := (
    SELECT relname FROM pg_class
    WHERE oid IN ('public.repositories'::regclass, 'public.code_files'::regclass, 'public.code_chunks'::regclass)
      AND relforcerowsecurity AND row_security_active(oid)
    ORDER BY relname
    LIMIT 1
  );
  IF hidden IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = 'insufficient_privilege',
      MESSAGE = format('Row-level security of table "%s" is forced upon its owner', hidden),
      DETAIL = format('This revision must read and change every row; its policies hide rows from %s.', current_user),
      HINT = format('Run: ALTER TABLE public.%I NO FORCE ROW LEVEL SECURITY;', hidden);
  END IF;

  SELECT type, identity, relname, relkind INTO namesake
  FROM pg_class CROSS JOIN LATERAL pg_identify_object('pg_class'::regclass, oid, 0)
  WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('r', 'p') AND relname IN (
    'archived_work_items', 'work_item_deployment_links', 'vendor_deployment_links', 'work_item_dependencies',
    'future_enhancements', 'project_configuration', 'deployment_events', 'vendor_extractors', 'tasks'
  )
  ORDER BY relname
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING
      ERRCODE = 'wrong_object_type',
      MESSAGE = format('Relation "%s" in schema public is of kind "%s", not "table"', namesake.relname, namesake.type),
      DETAIL = 'This revision takes a table of that name out of public, and its downgrade brings one.',
      HINT = format('Run: ALTER %s %s RENAME TO %I;', CASE namesake.relkind WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END,
        namesake.identity, namesake.relname || '_before_002');
  END IF;
END
$do$;

-- step: Verifying foreign key constraints
DO $do$
DECLARE
  blocking record;
BEGIN
  SELECT
    (array_agg(child.relname ORDER BY child.relname, fk.conname))[1] AS child,
    (array_agg(parent.relname ORDER BY child.relname, fk.conname))[1] AS parent,
    string_agg(format('%I (%I to %I)', fk.conname, child.relname, parent.relname), ', '
      ORDER BY child.relname, fk.conname) AS constraints,
    string_agg(format('ALTER TABLE public.%I DROP CONSTRAINT %I;', child.relname, fk.conname), ' '
      ORDER BY child.relname, fk.conname) AS remedy
  INTO blocking
  FROM pg_constraint AS fk
  JOIN pg_class AS child ON child.oid = fk.conrelid
  JOIN pg_class AS parent ON parent.oid = fk.confrelid
  WHERE fk.contype = 'f'
    AND child.relnamespace = 'public'::regnamespace
    AND child.relname IN (
      'archived_work_items', 'work_item_deployment_links', 'vendor_deployment_links', 'work_item_dependencies',
      'future_enhancements', 'project_configuration', 'deployment_events', 'vendor_extractors', 'tasks'
    )
    AND fk.confrelid IN ('public.repositories'::regclass, 'public.code_chunks'::regclass);
  IF blocking.constraints IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = 'foreign_key_violation',
      MESSAGE = format('Foreign key constraint detected from ''%s'' to ''%s''', blocking.child, blocking.parent),
      DETAIL = format('Cannot safely drop tables. Remove foreign key first. Found: %s', blocking.constraints),
      HINT = format('Run: %s', blocking.remedy);
  END IF;
  RAISE NOTICE 'No blocking foreign keys found';
END
$do$;

-- step: Adding project_id to repositories table
-- A trigger event left pending by an UPDATE would forbid the ALTER TABLE of the same table after it.
SET CONSTRAINTS ALL IMMEDIATE;

-- A project_id that stands here without its constraint is not the work of this revision. What it was is
-- recorded before anything changes, so that the downgrade leaves the column as it was found: its default and
-- nullability as those of the record's own column, and the values of the rows that are about to change.
DO $do$
DECLARE
  core record;
  found_definition text;
  key text;
  filled boolean;
BEGIN
  FOR core IN
    SELECT * FROM (VALUES
      ('repositories', $changing$
        SELECT %s, held.project_id, 'default'
        FROM public.repositories AS held
        WHERE held.project_id IS NULL
      $changing$),
      -- The column of repositories, which may not be there yet, is read as it will be.
      ('code_chunks', $changing$
        WITH repository AS MATERIALIZED (
          SELECT id, coalesce(to_jsonb(parent) ->> 'project_id', 'default') AS project_id
          FROM public.repositories AS parent
        )
        SELECT %s, held.project_id, repository.project_id
        FROM public.code_chunks AS held
        JOIN public.code_files AS file ON file.id = held.code_file_id
        JOIN repository ON repository.id = file.repository_id
        WHERE held.project_id IS DISTINCT FROM repository.project_id
      $changing$)
    ) AS core (table_name, changing)
    CROSS JOIN LATERAL (
      SELECT format('public.%I', table_name)::regclass AS relation, 'found_' || table_name AS record_name
    ) AS named
    WHERE NOT EXISTS (
      SELECT FROM pg_constraint WHERE conrelid = relation AND conname = format('check_%s_project_id', table_name)
    ) AND (
      to_regclass('retired_002.' || record_name) IS NOT NULL
      OR EXISTS (SELECT FROM pg_attribute WHERE attrelid = relation AND attname = 'project_id')
    )
  LOOP
    found_definition := (
      SELECT concat_ws(' ',
        'DEFAULT ' || pg_get_expr(adbin, adrelid),
        CASE WHEN attnotnull THEN 'NOT NULL' END)
      FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
      WHERE attrelid = core.relation AND attname = 'project_id'
    );

    -- A record that a downgrade has emptied is done with; one of a column that is gone is void.
    IF to_regclass('retired_002.' || core.record_name) IS NOT NULL THEN
      EXECUTE format('SELECT EXISTS (SELECT FROM retired_002.%I)', core.record_name) INTO filled;
      IF found_definition IS NULL OR NOT filled THEN
        EXECUTE format('DROP TABLE retired_002.%I', core.record_name);
      END IF;
    END IF;
    CONTINUE WHEN found_definition IS NULL;

    IF to_regnamespace('retired_002') IS NULL THEN
      CREATE SCHEMA retired_002;
    END IF;
    IF to_regclass('retired_002.' || core.record_name) IS NULL THEN
      EXECUTE format('CREATE TABLE retired_002.%I (key jsonb, project_id varchar(50) %s, became varchar(50))',
        core.record_name, found_definition);
      EXECUTE format('COMMENT ON TABLE retired_002.%I IS %L', core.record_name,
        format('What public.%I.project_id was before revision 002, for its downgrade.', core.table_name));
    END IF;

    -- A row is known again by a unique id, or else by everything else it holds.
    key := CASE WHEN EXISTS (
      SELECT FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
      WHERE indrelid = core.relation AND indisunique AND indisvalid AND indpred IS NULL AND indnkeyatts = 1
        AND attname = 'id' AND attnotnull
    ) THEN 'to_jsonb(held.id)' ELSE 'to_jsonb(held) - ''project_id''' END;
    EXECUTE format('INSERT INTO retired_002.%I (key, project_id, became) %s',
      core.record_name, format(core.changing, key));
  END LOOP;
END
$do$;

DO $do$
BEGIN
  IF NOT EXISTS (
    SELECT FROM pg_attribute WHERE attrelid = 'public.repositories'::regclass AND attname = 'project_id'
  ) THEN
    -- A constant default is kept in the catalogue: no row is touched.
    ALTER TABLE public.repositories ADD COLUMN project_id varchar(50) NOT NULL DEFAULT 'default';
    RAISE NOTICE 'Column added with default ''default''';
    RETURN;
  END IF;
  UPDATE public.repositories SET project_id = 'default' WHERE project_id IS NULL;
  ALTER TABLE public.repositories
    ALTER COLUMN project_id SET DEFAULT 'default',
    ALTER COLUMN project_id SET NOT NULL;
  RAISE NOTICE 'Column kept with its values';
END
$do$;

-- step: Adding project_id to code_chunks table
DO $do$
DECLARE
  column_exists boolean := EXISTS (
    SELECT FROM pg_attribute WHERE attrelid = 'public.code_chunks'::regclass AND attname = 'project_id'
  );
  -- Validated foreign keys over NOT NULL columns prove without a scan that every chunk has a repository; but a
  -- table that inherits from code_chunks has none of its foreign keys.
  parents_proved boolean := (
    SELECT count(*) = 2
    FROM (VALUES
      ('public.code_chunks'::regclass, 'code_file_id', 'public.code_files'::regclass),
      ('public.code_files'::regclass, 'repository_id', 'public.repositories'::regclass)
    ) AS link (child, reference, parent)
    JOIN pg_attribute AS reference ON reference.attrelid = link.child AND reference.attname = link.reference
    JOIN pg_attribute AS key ON key.attrelid = link.parent AND key.attname = 'id'
    WHERE reference.attnotnull AND EXISTS (
      SELECT FROM pg_constraint
      WHERE contype = 'f' AND convalidated
        AND conrelid = link.child AND conkey = ARRAY[reference.attnum]
        AND confrelid = link.parent AND confkey = ARRAY[key.attnum]
    )
  ) AND NOT EXISTS (
    SELECT FROM pg_inherits JOIN pg_class AS parent ON parent.oid = inhparent
    WHERE parent.oid = 'public.code_chunks'::regclass AND parent.relkind = 'r'
  );
  commonest varchar(50) := (
    SELECT coalesce(mode() WITHIN GROUP (ORDER BY project_id), 'default') FROM public.repositories
  );
  orphans bigint;
  corrected bigint := 0;
BEGIN
  IF NOT parents_proved THEN
    SELECT count(*) INTO orphans
    FROM public.code_chunks AS chunk
    WHERE NOT EXISTS (
      SELECT FROM public.code_files AS file
      JOIN public.repositories AS repository ON repository.id = file.repository_id
      WHERE file.id = chunk.code_file_id
    );
    IF orphans > 0 THEN
      RAISE EXCEPTION USING
        ERRCODE = 'not_null_violation',
        MESSAGE = 'Cannot add NOT NULL constraint to code_chunks.project_id',
        DETAIL = format('%s rows have NULL project_id (orphaned chunks with no parent repository)', orphans),
        HINT = 'Fix data integrity: DELETE FROM public.code_chunks AS chunk WHERE NOT EXISTS ('
          'SELECT FROM public.code_files AS file '
          'JOIN public.repositories AS repository ON repository.id = file.repository_id '
          'WHERE file.id = chunk.code_file_id);';
    END IF;
  END IF;

  IF NOT column_exists THEN
    -- The value that most repositories share, usually all of them, costs nothing as a constant default;
    -- it must be dropped again, for a chunk has no project but its repository's.
    EXECUTE format('ALTER TABLE public.code_chunks ADD COLUMN project_id varchar(50) NOT NULL DEFAULT %L', commonest);
  END IF;

  -- Every updated row enters every index of the table again, which is dear with a vector index: so only
  -- the rows that must change, and no look at all where all repositories agree.
  IF column_exists OR EXISTS (SELECT FROM public.repositories WHERE project_id <> commonest) THEN
    UPDATE public.code_chunks AS chunk
    SET project_id = repository.project_id
    FROM public.code_files AS file
    JOIN public.repositories AS repository ON repository.id = file.repository_id
    WHERE file.id = chunk.code_file_id AND chunk.project_id IS DISTINCT FROM repository.project_id;
    GET DIAGNOSTICS corrected = ROW_COUNT;
    IF EXISTS (
      SELECT FROM public.code_chunks AS chunk
      JOIN public.code_files AS file ON file.id = chunk.code_file_id
      JOIN public.repositories AS repository ON repository.id = file.repository_id
      WHERE chunk.project_id IS DISTINCT FROM repository.project_id
    ) THEN
      RAISE EXCEPTION USING
        ERRCODE = 'triggered_data_change_violation',
        MESSAGE = 'Rows of code_chunks did not take the project_id of their repository',
        DETAIL = 'A trigger or a rule keeps an UPDATE from changing them.',
        HINT = coalesce((
          SELECT 'Disable what keeps them for the run: ' || string_agg(
            format('ALTER TABLE public.code_chunks DISABLE TRIGGER %I;', tgname), ' ' ORDER BY tgname)
          FROM pg_trigger
          -- ROW (1), BEFORE (2) and UPDATE (16)
          WHERE tgrelid = 'public.code_chunks'::regclass AND tgtype & 19 = 19 AND tgenabled IN ('O', 'A')
        ), 'Look for a rule on the table, and disable it for the run.');
    END IF;
  END IF;

  ALTER TABLE public.code_chunks
    ALTER COLUMN project_id DROP DEFAULT,
    ALTER COLUMN project_id SET NOT NULL;

  IF NOT column_exists THEN
    RAISE NOTICE 'Column added, populated from parent repositories';
  ELSE
    RAISE NOTICE 'Column kept, % rows took the project_id of their repository', corrected;
  END IF;
END
$do$;

-- step: Adding validation constraints
-- The equality comes first because it spares almost every row the regular expressions, whose bounded
-- quantifier costs more than the rest of the scan.
DO $do$
DECLARE
  rule CONSTANT text :=
    $rule$project_id = 'default' OR (project_id ~ '^[a-z0-9-]{1,50}$' AND project_id !~ '(^-|-$|--)')$rule$;
  -- The same as the server writes it: what a constraint must say to be kept.
  definition CONSTANT text :=
    $rule$CHECK ((((project_id)::text = 'default'::text) OR (((project_id)::text ~ '^[a-z0-9-]{1,50}$'::text) AND ((project_id)::text !~ '(^-|-$|--)'::text))))$rule$;
  standing text;
  invalid record;
  added integer := 0;
  wanted record;
BEGIN
  -- Chunks hold their repositories' values, so a value that violates the rule is found in repositories.
  EXECUTE format($query$
    SELECT to_jsonb(repository) ->> 'id' AS id, project_id, count(*) OVER () AS count
    FROM public.repositories AS repository
    WHERE NOT (%s)
    ORDER BY repository.id
    LIMIT 1
  $query$, rule) INTO invalid;
  IF invalid.project_id IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = 'check_violation',
      MESSAGE = 'Check constraint "check_repositories_project_id" violated',
      DETAIL = format('Row with id=%s has project_id=''%s'' which violates pattern ^[a-z0-9-]{1,50}$'
        ' without leading, trailing or double hyphen (table public.repositories, rows in violation: %s)',
        invalid.id, invalid.project_id, invalid.count),
      -- Rewriting runs of anything else to one hyphen keeps the name readable and never makes it longer.
      HINT = format('Run: UPDATE public.repositories SET project_id = coalesce(nullif(btrim(lower('
        'regexp_replace(project_id, ''[^A-Za-z0-9]+'', ''-'', ''g'') COLLATE "C"), ''-''), ''''), ''default'')'
        ' WHERE NOT (%s);', rule);
  END IF;

  FOR wanted IN
    SELECT * FROM (VALUES
      ('repositories', 'check_repositories_project_id'),
      ('code_chunks', 'check_code_chunks_project_id')
    ) AS wanted (table_name, name)
  LOOP
    standing := (
      SELECT pg_get_constraintdef(oid) FROM pg_constraint
      WHERE conrelid = format('public.%I', wanted.table_name)::regclass AND conname = wanted.name
    );
    IF standing IS NULL THEN
      EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT %I CHECK (%s)', wanted.table_name, wanted.name, rule);
      added := added + 1;
    ELSIF standing <> definition THEN
      RAISE EXCEPTION USING
        ERRCODE = 'duplicate_object',
        MESSAGE = format('Constraint "%s" exists with another definition', wanted.name),
        DETAIL = format('It is %s; this revision adds %s', standing, definition),
        HINT = format('Run: ALTER TABLE public.%I DROP CONSTRAINT %I;', wanted.table_name, wanted.name);
    END IF;
  END LOOP;

  IF added > 0 THEN
    RAISE NOTICE 'CHECK constraints added';
  ELSE
    RAISE NOTICE 'CHECK constraints kept';
  END IF;
END
$do$;

-- step: Creating performance index
DO $do$
DECLARE
  definition CONSTANT text :=
    'CREATE INDEX idx_project_repository ON public.repositories USING btree (project_id, id)';
  standing record;
BEGIN
  SELECT pg_get_indexdef(indexrelid) AS definition, indisvalid AND indisready AS usable, relkind, type INTO standing
  FROM pg_class
  CROSS JOIN LATERAL pg_identify_object('pg_class'::regclass, oid, 0)
  LEFT JOIN pg_index ON indexrelid = oid
  WHERE oid = to_regclass('public.idx_project_repository');
  IF NOT FOUND THEN
    EXECUTE definition;
    RAISE NOTICE 'Index idx_project_repository created';
  ELSIF standing.definition IS NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = 'wrong_object_type',
      MESSAGE = format('Relation "idx_project_repository" in schema public is of kind "%s", not "index"', standing.type),
      DETAIL = format('This revision creates an index of that name: %s', definition),
      HINT = format('Run: ALTER %s public.idx_project_repository RENAME TO idx_project_repository_before_002;',
        CASE standing.relkind WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END);
  ELSIF standing.definition = definition AND standing.usable THEN
    RAISE NOTICE 'Index idx_project_repository kept';
  ELSE
    RAISE EXCEPTION USING
      ERRCODE = 'duplicate_object',
      MESSAGE = 'Index "idx_project_repository" exists and is not the one this revision creates',
      DETAIL = CASE
        WHEN standing.definition = definition THEN 'It is invalid: a CREATE INDEX CONCURRENTLY did not finish.'
        ELSE format('It is %s; this revision creates %s', standing.definition, definition)
      END,
      HINT = 'Run: DROP INDEX public.idx_project_repository;';
  END IF;
END
$do$;

-- step: Dropping unused tables
DO $do$
DECLARE
  unused CONSTANT text[] := ARRAY[
    'archived_work_items', 'work_item_deployment_links', 'vendor_deployment_links', 'work_item_dependencies',
    'future_enhancements', 'project_configuration', 'deployment_events', 'vendor_extractors', 'tasks'
  ];
  standing CONSTANT text[] := ARRAY(
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname = ANY (unused)
    ORDER BY array_position(unused, relname::text)
  );
  clashing text[];
  table_name text;
  table_owner regrole;
BEGIN
  IF cardinality(standing) = 0 THEN
    RAISE NOTICE '0 tables dropped';
    RETURN;
  END IF;

  clashing := ARRAY(
    SELECT relname FROM pg_class
    WHERE relnamespace = to_regnamespace('retired_002') AND relname = ANY (standing)
    ORDER BY relname
  );
  IF cardinality(clashing) > 0 THEN
    RAISE EXCEPTION USING
      ERRCODE = 'duplicate_table',
      MESSAGE = format('Schema retired_002 holds a table "%s" already', clashing[1]),
      DETAIL = format('In public and in retired_002 stand: %s', array_to_string(clashing, ', ')),
      HINT = format('Run: CREATE SCHEMA IF NOT EXISTS kept_002; %s', (
        SELECT string_agg(format('ALTER TABLE retired_002.%I SET SCHEMA kept_002;', clash), ' ')
        FROM unnest(clashing) AS clash
      ));
  END IF;

  IF to_regnamespace('retired_002') IS NULL THEN
    CREATE SCHEMA retired_002;
  END IF;
  COMMENT ON SCHEMA retired_002 IS
    'Tables that revision 002 took out of public, with every row. '
    '"backstop downgrade 005" moves them back, "backstop finalize" drops them for good.';

  -- Indexes, constraints, triggers and owned sequences move along; foreign keys and views of other
  -- tables keep pointing here. Foreign keys are checked with the rights of the table's owner, who
  -- therefore must be let into the schema.
  FOR table_owner IN
    SELECT DISTINCT relowner::regrole FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname = ANY (standing)
  LOOP
    EXECUTE format('GRANT USAGE ON SCHEMA retired_002 TO %s', table_owner);
  END LOOP;
  FOREACH table_name IN ARRAY standing LOOP
    EXECUTE format('ALTER TABLE public.%I SET SCHEMA retired_002', table_name);
  END LOOP;
  RAISE NOTICE '% tables dropped', cardinality(standing);
END
$do$;

-- step: Running validation checks
-- What can be proved without a scan while the locks are held; the checks in verify/ look at every row.
DO $do$
DECLARE
  failures text;
BEGIN
  SELECT string_agg(failure, '; ') INTO failures FROM (
    SELECT format('%s.project_id is not varchar(50) NOT NULL', relation)
    FROM unnest(ARRAY['repositories', 'code_chunks']) AS relation
    WHERE NOT EXISTS (
      SELECT FROM pg_attribute
      WHERE attrelid = format('public.%I', relation)::regclass AND attname = 'project_id' AND attnotnull
        AND format_type(atttypid, atttypmod) = 'character varying(50)'
    )
    UNION ALL
    SELECT format('check_%s_project_id is not a validated constraint', relation)
    FROM unnest(ARRAY['repositories', 'code_chunks']) AS relation
    WHERE NOT EXISTS (
      SELECT FROM pg_constraint
      WHERE conrelid = format('public.%I', relation)::regclass AND conname = format('check_%s_project_id', relation)
        AND contype = 'c' AND convalidated
    )
    UNION ALL
    SELECT 'idx_project_repository is not a valid index of repositories'
    WHERE NOT EXISTS (
      SELECT FROM pg_index
      WHERE indexrelid = to_regclass('public.idx_project_repository')
        AND indrelid = 'public.repositories'::regclass AND indisvalid
    )
    UNION ALL
    SELECT format('%I is still in public', relname)
    FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname IN (
      'archived_work_items', 'work_item_deployment_links', 'vendor_deployment_links', 'work_item_dependencies',
      'future_enhancements', 'project_configuration', 'deployment_events', 'vendor_extractors', 'tasks'
    )
    UNION ALL
    -- The counters of this transaction say whether a row came or went.
    SELECT format('%s rows inserted into and %s deleted from %s', inserted, deleted, relation)
    FROM unnest(ARRAY['repositories', 'code_chunks']) AS relation
    CROSS JOIN LATERAL (SELECT format('public.%I', relation)::regclass AS id) AS core
    CROSS JOIN LATERAL (
      SELECT pg_stat_get_xact_tuples_inserted(id) AS inserted, pg_stat_get_xact_tuples_deleted(id) AS deleted
    ) AS counted
    WHERE inserted <> 0 OR deleted <> 0
  ) AS found (failure);
  IF failures IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = 'raise_exception',
      MESSAGE = 'Revision 002 did not reach the schema it describes',
      DETAIL = failures,
      HINT = 'Look for a trigger or an event trigger that changes what this revision does, and disable it for the run.';
  END IF;
  RAISE INFO 'All validations passed';
END
$do$;
