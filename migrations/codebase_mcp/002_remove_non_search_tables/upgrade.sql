-- Remove non-search tables and add project_id columns
-- Revision: 002
-- Revises: 005
-- Create Date: 2025-10-11
-- Locks: public.repositories, public.code_chunks
-- Scans: public.code_chunks, public.repositories
-- Retires: public.archived_work_items, public.work_item_deployment_links, public.vendor_deployment_links, public.work_item_dependencies, public.future_enhancements, public.project_configuration, public.deployment_events, public.vendor_extractors, public.tasks
-- Search path: pg_catalog, pg_temp
-- Refuses: 23503 ForeignKeyBlocked, 23502 OrphanedChunks, 23514 PatternViolation, 0A000 ServerTooOld, 42704 ExtensionMissing
-- Counted Steps: 10
--
-- The server searches code and nothing else. The nine feature tables leave public, and repositories and chunks say
-- to which project they belong. No table is rewritten, and no row is lost: the nine tables stay in schema
-- retired_002 until finalize drops them. Running this file again on a migrated schema changes nothing.
--
-- It relies on repositories (id), code_files (id, repository_id) and code_chunks (code_file_id), of any type.
-- It keeps a project_id column, constraint or index that exists already if it would make the same one, and refuses to
-- run otherwise. If SQL can remedy a refusal, the hint has that SQL after its first colon.
-- The contract counts ten steps: the eight below, then completion and COMMIT.

-- step: Checking prerequisites
-- The steps below read this setting. It ends with the transaction.
SET LOCAL backstop_002.unused_tables =
  'archived_work_items work_item_deployment_links vendor_deployment_links work_item_dependencies '
  'future_enhancements project_configuration deployment_events vendor_extractors tasks';
DO $do$
DECLARE
  unused CONSTANT text[] := string_to_array(current_setting('backstop_002.unused_tables'), ' ');
  refusal record;
BEGIN
  IF current_setting('server_version_num')::integer < 140000 THEN
    RAISE EXCEPTION USING
      ERRCODE = 'feature_not_supported',
      MESSAGE = format('PostgreSQL 14 or newer is required, this server is %s', current_setting('server_version')),
      HINT = 'Upgrade the server to PostgreSQL 14 or newer.';
  END IF;

  -- Each part of this query looks for one reason to refuse. The first that is found is raised.
  SELECT * INTO refusal FROM (
    SELECT 'undefined_object', 'Extension "vector" is not installed in this database',
      'The search that remains after this revision stores its embeddings in columns of its type.',
      'Run: CREATE EXTENSION vector;'
    WHERE NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'vector')
    UNION ALL
    SELECT 'undefined_column', 'The core tables are not as at revision 005',
      format('Missing: %s', string_agg('public.' || needed, ', ')),
      'Check that the connection leads to the codebase_mcp database, and that it is at revision 005.'
    FROM unnest('{repositories.id,code_files.id,code_files.repository_id,code_chunks.code_file_id}'::text[]) AS needed
    WHERE NOT EXISTS (SELECT FROM pg_attribute
      WHERE attrelid = to_regclass('public.' || split_part(needed, '.', 1)) AND attname = split_part(needed, '.', 2))
    HAVING count(*) > 0
    UNION ALL
    SELECT 'insufficient_privilege', format('Row-level security of table "%s" is forced for its owner', relname),
      format('This revision must read and change every row; its policies hide rows from %s.', current_user),
      format('Run: ALTER TABLE public.%I NO FORCE ROW LEVEL SECURITY;', relname)
    FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relname IN ('repositories', 'code_files', 'code_chunks')
      AND relforcerowsecurity AND row_security_active(oid)
    UNION ALL
    SELECT 'wrong_object_type', format('Relation "%s" in schema public is of kind "%s"', relname, type),
      'This revision and its downgrade need the name for a table or an index.',
      format('Run: ALTER %s %s RENAME TO %I;',
        CASE relkind WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END, identity, relname || '_before_002')
    FROM pg_class CROSS JOIN LATERAL pg_identify_object('pg_class'::regclass, oid, 0)
    WHERE relnamespace = 'public'::regnamespace AND ((relname = ANY (unused) AND relkind NOT IN ('r', 'p'))
      OR (relname = 'idx_project_repository' AND relkind NOT IN ('i', 'I')))
    UNION ALL
    SELECT 'duplicate_table', format('Schema retired_002 holds a table "%s" already', min(relname)),
      format('In public and in retired_002: %s', string_agg(relname, ', ' ORDER BY relname)),
      'Run: CREATE SCHEMA IF NOT EXISTS kept_002; ' ||
        string_agg(format('ALTER TABLE retired_002.%I SET SCHEMA kept_002;', relname), ' ' ORDER BY relname)
    FROM pg_class WHERE relnamespace = to_regnamespace('retired_002') AND relname = ANY (unused)
      AND to_regclass('public.' || relname) IS NOT NULL
    HAVING count(*) > 0
    UNION ALL
    -- FR-019: an existing object must have the definition that this revision gives it.
    SELECT 'duplicate_object', format('%s exists with another definition', name),
      format('It is %s; this revision makes %s', definition, wanted), format('Run: %s', remedy)
    FROM (
      SELECT format('Constraint "%s"', conname), pg_get_constraintdef(pg_constraint.oid),
        $$CHECK ((((project_id)::text = 'default'::text) OR (((project_id)::text ~ '^[a-z0-9-]{1,50}$'::text) AND ((project_id)::text !~ '(^-|-$|--)'::text))))$$,
        format('ALTER TABLE public.%I DROP CONSTRAINT %I;', relname, conname)
      FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid AND relnamespace = 'public'::regnamespace
      WHERE relname IN ('repositories', 'code_chunks') AND conname = format('check_%s_project_id', relname)
      UNION ALL
      SELECT 'Index "idx_project_repository"', concat(pg_get_indexdef(indexrelid),
          CASE WHEN NOT (indisvalid AND indisready) THEN ' (invalid: CREATE INDEX CONCURRENTLY did not finish)' END),
        'CREATE INDEX idx_project_repository ON public.repositories USING btree (project_id, id)',
        'DROP INDEX public.idx_project_repository;'
      FROM pg_index WHERE indexrelid = to_regclass('public.idx_project_repository')
      UNION ALL
      SELECT format('Column project_id of table %s', table_name), definition, wanted, format(
        CASE WHEN definition ~ '^character varying\(50\)( NOT NULL)?( DEFAULT .*)?$'
          THEN 'UPDATE public.%1$I SET project_id = ''default'' WHERE project_id IS NULL; '
            'ALTER TABLE public.%1$I ALTER COLUMN project_id SET NOT NULL, ALTER COLUMN project_id %2$s;'
          ELSE 'ALTER TABLE public.%1$I RENAME COLUMN project_id TO project_id_before_002;'
        END, table_name, default_action)
      FROM (VALUES
        ('repositories', 'SET DEFAULT ''default''', 'character varying(50) NOT NULL DEFAULT ''default''::character varying'),
        ('code_chunks', 'DROP DEFAULT', 'character varying(50) NOT NULL')
      ) AS core (table_name, default_action, wanted)
      JOIN pg_attribute ON attrelid = to_regclass('public.' || table_name) AND attname = 'project_id'
      LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
      CROSS JOIN LATERAL concat_ws(' ', format_type(atttypid, atttypmod),
        'COLLATE ' || nullif(nullif(attcollation, 0), 'pg_catalog.default'::regcollation)::regcollation,
        -- PostgreSQL 18 knows NOT NULL constraints that are not validated.
        CASE WHEN attnotnull AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = attrelid
          AND conkey = ARRAY[attnum] AND contype = 'n' AND NOT convalidated) THEN 'NOT NULL' END,
        CASE attgenerated WHEN '' THEN 'DEFAULT ' ELSE 'GENERATED ALWAYS AS ' END || pg_get_expr(adbin, adrelid)
      ) AS definition
    ) AS existing (name, definition, wanted, remedy)
    WHERE definition <> wanted
  ) AS refusals (code, message, detail, hint) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING
      ERRCODE = refusal.code, MESSAGE = refusal.message, DETAIL = refusal.detail, HINT = refusal.hint;
  END IF;

  PERFORM set_config('backstop_002.found_columns', coalesce(string_agg(relname, ' '), ''), true)
  FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
  WHERE attrelid IN ('public.repositories'::regclass, 'public.code_chunks'::regclass) AND attname = 'project_id';
END $do$;

-- step: Verifying foreign key constraints
DO $do$
DECLARE
  blocking record;
BEGIN
  SELECT (array_agg(child))[1] AS child, (array_agg(parent))[1] AS parent,
    string_agg(format('%I (%I to %I)', conname, child, parent), ', ') AS constraints,
    string_agg(format('ALTER TABLE public.%I DROP CONSTRAINT %I;', child, conname), ' ') AS remedy
  INTO blocking
  FROM (
    SELECT child.relname AS child, parent.relname AS parent, conname
    FROM pg_constraint
    JOIN pg_class AS child ON child.oid = conrelid AND child.relnamespace = 'public'::regnamespace
    JOIN pg_class AS parent ON parent.oid = confrelid
    WHERE contype = 'f' AND parent.oid IN ('public.repositories'::regclass, 'public.code_chunks'::regclass)
      AND child.relname = ANY (string_to_array(current_setting('backstop_002.unused_tables'), ' '))
    ORDER BY child.relname, conname
  ) AS foreign_key;
  IF blocking.constraints IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = 'foreign_key_violation',
      MESSAGE = format('Foreign key constraint detected from ''%s'' to ''%s''', blocking.child, blocking.parent),
      DETAIL = format('Cannot safely drop tables. Remove foreign key first. Found: %s', blocking.constraints),
      HINT = format('Run: %s', blocking.remedy);
  END IF;
  RAISE NOTICE 'No blocking foreign keys found';
END $do$;

-- step: Adding project_id to repositories table
DO $do$ BEGIN
  IF 'repositories' = ANY (string_to_array(current_setting('backstop_002.found_columns'), ' ')) THEN
    RAISE NOTICE 'Column kept with its values';
  ELSE
    -- PostgreSQL keeps a constant default in the catalogue: no row is touched.
    ALTER TABLE public.repositories ADD COLUMN project_id varchar(50) NOT NULL DEFAULT 'default';
    RAISE NOTICE 'Column added with default ''default''';
  END IF;
END $do$;

-- step: Adding project_id to code_chunks table
-- A trigger event that an UPDATE leaves pending would forbid an ALTER TABLE of the same table.
SET CONSTRAINTS ALL IMMEDIATE;
DO $do$
DECLARE
  found_columns CONSTANT text[] := string_to_array(current_setting('backstop_002.found_columns'), ' ');
  column_found CONSTANT boolean := 'code_chunks' = ANY (found_columns);
  commonest CONSTANT text := (SELECT mode() WITHIN GROUP (ORDER BY project_id) FROM public.repositories);
  projects_differ CONSTANT boolean := (SELECT count(DISTINCT project_id) > 1 FROM public.repositories);
  violations bigint;
BEGIN
  -- Validated foreign keys over NOT NULL columns prove without a scan that every chunk has a repository. But a
  -- table that inherits from code_chunks has none of its foreign keys.
  IF 2 > (
    SELECT count(DISTINCT conrelid) FROM pg_constraint
    JOIN pg_attribute AS referring ON referring.attrelid = conrelid AND conkey = ARRAY[referring.attnum]
    JOIN pg_attribute AS key ON key.attrelid = confrelid AND confkey = ARRAY[key.attnum]
    WHERE contype = 'f' AND convalidated AND referring.attnotnull AND key.attname = 'id'
      AND (conrelid, referring.attname, confrelid) IN (
        ('public.code_chunks'::regclass, 'code_file_id', 'public.code_files'::regclass),
        ('public.code_files'::regclass, 'repository_id', 'public.repositories'::regclass)
      )
  ) OR EXISTS (
    SELECT FROM pg_class WHERE oid = 'public.code_chunks'::regclass AND relhassubclass AND relkind = 'r'
  ) THEN
    SELECT count(*) INTO violations FROM public.code_chunks AS chunk WHERE NOT EXISTS (
      SELECT FROM public.code_files AS file
      JOIN public.repositories AS repository ON repository.id = file.repository_id
      WHERE file.id = chunk.code_file_id
    );
    IF violations > 0 THEN
      RAISE EXCEPTION USING
        ERRCODE = 'not_null_violation',
        MESSAGE = 'Cannot add NOT NULL constraint to code_chunks.project_id',
        DETAIL = format('%s rows have NULL project_id (orphaned chunks with no parent repository)', violations),
        HINT = 'Fix data integrity: DELETE FROM public.code_chunks AS chunk WHERE NOT EXISTS (SELECT FROM '
          'public.code_files AS file JOIN public.repositories AS repository ON repository.id = file.repository_id '
          'WHERE file.id = chunk.code_file_id);';
    END IF;
  END IF;

  IF NOT column_found THEN
    -- A constant default costs nothing, so it is the value that most repositories share. It is dropped at once,
    -- because a chunk has the project of its repository and no other.
    EXECUTE format('ALTER TABLE public.code_chunks ADD COLUMN project_id varchar(50) NOT NULL DEFAULT %L',
      coalesce(commonest, 'default'));
    ALTER TABLE public.code_chunks ALTER COLUMN project_id DROP DEFAULT;
    IF projects_differ THEN
      -- Every updated row enters every index again, which is slow with a vector index: so only rows that differ.
      UPDATE public.code_chunks AS chunk SET project_id = repository.project_id
      FROM public.code_files AS file JOIN public.repositories AS repository ON repository.id = file.repository_id
      WHERE file.id = chunk.code_file_id AND chunk.project_id <> repository.project_id;
    END IF;
  END IF;

  IF column_found OR projects_differ THEN
    SELECT count(*) INTO violations FROM public.code_chunks AS chunk
    JOIN public.code_files AS file ON file.id = chunk.code_file_id
    JOIN public.repositories AS repository ON repository.id = file.repository_id
    WHERE chunk.project_id IS DISTINCT FROM repository.project_id;
    IF violations > 0 THEN
      RAISE EXCEPTION USING
        ERRCODE = 'integrity_constraint_violation',
        MESSAGE = 'Rows of code_chunks do not have the project_id of their repository',
        DETAIL = format('Rows in violation: %s', violations),
        HINT = CASE WHEN column_found THEN format('Run: UPDATE public.code_chunks AS chunk SET project_id = %1$s '
          'FROM public.code_files AS file JOIN public.repositories AS repository ON repository.id = file.repository_id '
          'WHERE file.id = chunk.code_file_id AND chunk.project_id IS DISTINCT FROM %1$s;',
          CASE WHEN 'repositories' = ANY (found_columns) THEN 'repository.project_id' ELSE '''default''' END)
        ELSE 'Disable the trigger that keeps them: ALTER TABLE public.code_chunks DISABLE TRIGGER USER;' END;
    END IF;
  END IF;
  RAISE NOTICE 'Column %',
    CASE WHEN column_found THEN 'kept with its values' ELSE 'added, populated from parent repositories' END;
END $do$;

-- step: Adding validation constraints
-- The equality comes first: it spares almost every row the regular expressions, whose bounded quantifier costs more
-- than the rest of the scan.
DO $do$
DECLARE
  rule CONSTANT text :=
    $rule$project_id = 'default' OR (project_id ~ '^[a-z0-9-]{1,50}$' AND project_id !~ '(^-|-$|--)')$rule$;
  invalid record;
  core text;
  outcome text := 'kept';
BEGIN
  -- Chunks hold their repositories' values, so a value that violates the rule is found in repositories.
  EXECUTE format('SELECT to_jsonb(repository) ->> ''id'' AS id, project_id, count(*) OVER () AS count '
    'FROM public.repositories AS repository WHERE NOT (%s) ORDER BY repository.id LIMIT 1', rule) INTO invalid;
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

  FOREACH core IN ARRAY ARRAY['repositories', 'code_chunks'] LOOP
    CONTINUE WHEN EXISTS (SELECT FROM pg_constraint
      WHERE conrelid = to_regclass('public.' || core) AND conname = format('check_%s_project_id', core));
    EXECUTE format('ALTER TABLE public.%1$I ADD CONSTRAINT check_%1$s_project_id CHECK (%2$s)', core, rule);
    outcome := 'added';
    IF core = ANY (string_to_array(current_setting('backstop_002.found_columns'), ' ')) THEN
      -- The downgrade and its checks know by this comment that the column is not the work of this revision.
      EXECUTE format('COMMENT ON CONSTRAINT check_%1$s_project_id ON public.%1$I IS %2$L', core,
        'Revision 002 found the column, so its downgrade keeps it.');
    END IF;
  END LOOP;
  RAISE NOTICE 'CHECK constraints %', outcome;
END $do$;

-- step: Creating performance index
DO $do$ BEGIN
  IF to_regclass('public.idx_project_repository') IS NULL THEN
    CREATE INDEX idx_project_repository ON public.repositories (project_id, id);
    RAISE NOTICE 'Index idx_project_repository created';
  ELSE
    RAISE NOTICE 'Index idx_project_repository kept';
  END IF;
END $do$;

-- step: Dropping unused tables
DO $do$
DECLARE
  retiring CONSTANT text[] := ARRAY(
    SELECT 'public.' || name FROM string_to_table(current_setting('backstop_002.unused_tables'), ' ') AS name
    WHERE to_regclass('public.' || name) IS NOT NULL
  );
BEGIN
  PERFORM backstop.retire(VARIADIC retiring);
  RAISE NOTICE '% tables retired to retired_002', cardinality(retiring);
END $do$;

-- step: Running validation checks
-- What can be proved without a scan while the locks are held. The checks in verify/ look at every row.
DO $do$
DECLARE
  failures text;
BEGIN
  SELECT string_agg(failure, '; ') INTO failures FROM (
    SELECT format('%s has no project_id varchar(50) NOT NULL under its constraint', core)
    FROM unnest(ARRAY['repositories', 'code_chunks']) AS core
    WHERE NOT EXISTS (SELECT FROM pg_attribute JOIN pg_constraint ON conrelid = attrelid AND conkey = ARRAY[attnum]
      WHERE attrelid = to_regclass('public.' || core) AND attname = 'project_id' AND attnotnull AND convalidated
        AND format_type(atttypid, atttypmod) = 'character varying(50)' AND conname = format('check_%s_project_id', core))
    UNION ALL
    SELECT 'idx_project_repository is not a valid index of repositories'
    WHERE NOT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('public.idx_project_repository')
      AND indrelid = 'public.repositories'::regclass AND indisvalid)
    UNION ALL
    SELECT format('%s is still in public', name)
    FROM string_to_table(current_setting('backstop_002.unused_tables'), ' ') AS name
    WHERE to_regclass('public.' || name) IS NOT NULL
    UNION ALL
    -- The counters of this transaction say whether a row came or went.
    SELECT format('%s rows inserted into and %s deleted from %s', inserted, deleted, relname)
    FROM pg_class CROSS JOIN pg_stat_get_xact_tuples_inserted(oid) AS inserted
    CROSS JOIN pg_stat_get_xact_tuples_deleted(oid) AS deleted
    WHERE oid IN ('public.repositories'::regclass, 'public.code_chunks'::regclass) AND inserted + deleted > 0
  ) AS found (failure);
  IF failures IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = 'raise_exception',
      MESSAGE = 'Revision 002 did not reach the schema it describes',
      DETAIL = failures,
      HINT = 'Look for a trigger or an event trigger that changes what this revision does, and disable it for the run.';
  END IF;
  RAISE INFO 'All validations passed';
END $do$;
