// The nine feature tables at revision 005, as the catalogue of a database that Alembic brought there has them.
//
// Written down by hand rather than derived from the revisions, because the revisions are held to it.

/** Table → its columns in order, constraints and indexes, in the words of {@link DESCRIBE_TABLE}. */
export const FEATURE_TABLES: Readonly<Record<string, readonly string[]>> = {
  tasks: [
    'column id uuid not null',
    'column title character varying not null',
    'column description text',
    'column notes text',
    "column status character varying not null default 'need to be done'::character varying",
    'column created_at timestamp without time zone not null default CURRENT_TIMESTAMP',
    'column updated_at timestamp without time zone not null default CURRENT_TIMESTAMP',
    'column version integer not null',
    "column item_type character varying(20) not null default 'task'::character varying",
    'column parent_id uuid',
    "column path character varying(500) not null default '/'::character varying",
    'column depth integer not null default 0',
    'column deleted_at timestamp with time zone',
    'column branch_name character varying(100)',
    'column commit_hash character varying(40)',
    'column pr_number integer',
    'column metadata jsonb',
    "column created_by character varying(100) not null default 'system'::character varying",
    "constraint ck_tasks_valid_status CHECK (((status)::text = ANY ((ARRAY['need to be done'::character varying, 'in-progress'::character varying, 'complete'::character varying])::text[])))",
    'constraint ck_work_item_depth CHECK (((depth >= 0) AND (depth <= 5)))',
    "constraint ck_work_item_type CHECK (((item_type)::text = ANY ((ARRAY['project'::character varying, 'session'::character varying, 'task'::character varying, 'research'::character varying])::text[])))",
    'constraint fk_work_item_parent FOREIGN KEY (parent_id) REFERENCES tasks(id) ON DELETE SET NULL',
    'constraint pk_tasks PRIMARY KEY (id)',
    'index idx_work_item_deleted_at btree (deleted_at) WHERE (deleted_at IS NULL)',
    'index idx_work_item_parent_id btree (parent_id)',
    'index idx_work_item_path btree (path)',
    'index idx_work_item_type btree (item_type)',
    'index ix_tasks_status btree (status)',
  ],
  vendor_extractors: [
    'column id uuid not null',
    'column version integer not null',
    'column name character varying(100) not null',
    'column status character varying(20) not null',
    'column extractor_version character varying(50) not null',
    'column metadata jsonb not null',
    'column created_at timestamp with time zone not null',
    'column updated_at timestamp with time zone not null',
    'column created_by character varying(100) not null',
    "constraint ck_vendor_status CHECK (((status)::text = ANY ((ARRAY['operational'::character varying, 'broken'::character varying])::text[])))",
    'constraint vendor_extractors_pkey PRIMARY KEY (id)',
    'index idx_vendor_name_lower UNIQUE btree (lower((name)::text))',
    'index idx_vendor_status btree (status)',
  ],
  deployment_events: [
    'column id uuid not null',
    'column deployed_at timestamp with time zone not null',
    'column commit_hash character varying(40) not null',
    'column metadata jsonb not null',
    'column created_at timestamp with time zone not null',
    'column created_by character varying(100) not null',
    "constraint ck_commit_hash_format CHECK (((commit_hash)::text ~ '^[a-f0-9]{40}$'::text))",
    'constraint deployment_events_pkey PRIMARY KEY (id)',
    'index idx_deployment_commit_hash btree (commit_hash)',
    'index idx_deployment_deployed_at btree (deployed_at DESC)',
  ],
  project_configuration: [
    "column id integer not null default nextval('project_configuration_id_seq'::regclass)",
    'column active_context_type character varying(50) not null',
    'column current_session_id uuid',
    'column git_branch character varying(100)',
    'column git_head_commit character varying(40)',
    'column default_token_budget integer not null default 200000',
    'column database_healthy boolean not null default true',
    'column last_health_check_at timestamp with time zone',
    'column updated_at timestamp with time zone not null',
    'column updated_by character varying(100) not null',
    'constraint ck_singleton CHECK ((id = 1))',
    'constraint fk_current_session FOREIGN KEY (current_session_id) REFERENCES tasks(id) ON DELETE SET NULL',
    'constraint project_configuration_pkey PRIMARY KEY (id)',
    'sequence project_configuration_id_seq integer owned by id',
  ],
  future_enhancements: [
    'column id uuid not null',
    'column title character varying(200) not null',
    'column description text not null',
    'column priority integer not null',
    "column status character varying(20) not null default 'planned'::character varying",
    'column target_quarter character varying(10)',
    "column requires_constitutional_principles jsonb not null default '[]'::jsonb",
    'column created_at timestamp with time zone not null',
    'column updated_at timestamp with time zone not null',
    'column created_by character varying(100) not null',
    "constraint ck_enhancement_status CHECK (((status)::text = ANY ((ARRAY['planned'::character varying, 'approved'::character varying, 'implementing'::character varying, 'completed'::character varying])::text[])))",
    'constraint ck_priority_range CHECK (((priority >= 1) AND (priority <= 5)))',
    'constraint future_enhancements_pkey PRIMARY KEY (id)',
    'index idx_enhancement_priority btree (priority)',
    'index idx_enhancement_status btree (status)',
  ],
  work_item_dependencies: [
    'column source_id uuid not null',
    'column target_id uuid not null',
    'column dependency_type character varying(20) not null',
    'column created_at timestamp with time zone not null',
    'column created_by character varying(100) not null',
    "constraint ck_dependency_type CHECK (((dependency_type)::text = ANY ((ARRAY['blocks'::character varying, 'depends_on'::character varying])::text[])))",
    'constraint ck_no_self_dependency CHECK ((source_id <> target_id))',
    'constraint work_item_dependencies_pkey PRIMARY KEY (source_id, target_id)',
    'constraint work_item_dependencies_source_id_fkey FOREIGN KEY (source_id) REFERENCES tasks(id) ON DELETE CASCADE',
    'constraint work_item_dependencies_target_id_fkey FOREIGN KEY (target_id) REFERENCES tasks(id) ON DELETE CASCADE',
    'index idx_dependency_source_id btree (source_id)',
    'index idx_dependency_target_id btree (target_id)',
  ],
  vendor_deployment_links: [
    'column deployment_id uuid not null',
    'column vendor_id uuid not null',
    'column created_at timestamp with time zone not null',
    'constraint vendor_deployment_links_deployment_id_fkey FOREIGN KEY (deployment_id) REFERENCES deployment_events(id) ON DELETE CASCADE',
    'constraint vendor_deployment_links_pkey PRIMARY KEY (deployment_id, vendor_id)',
    'constraint vendor_deployment_links_vendor_id_fkey FOREIGN KEY (vendor_id) REFERENCES vendor_extractors(id) ON DELETE CASCADE',
    'index idx_vendor_deployment_deployment_id btree (deployment_id)',
    'index idx_vendor_deployment_vendor_id btree (vendor_id)',
  ],
  work_item_deployment_links: [
    'column deployment_id uuid not null',
    'column work_item_id uuid not null',
    'column created_at timestamp with time zone not null',
    'constraint work_item_deployment_links_deployment_id_fkey FOREIGN KEY (deployment_id) REFERENCES deployment_events(id) ON DELETE CASCADE',
    'constraint work_item_deployment_links_pkey PRIMARY KEY (deployment_id, work_item_id)',
    'constraint work_item_deployment_links_work_item_id_fkey FOREIGN KEY (work_item_id) REFERENCES tasks(id) ON DELETE CASCADE',
    'index idx_work_item_deployment_deployment_id btree (deployment_id)',
    'index idx_work_item_deployment_work_item_id btree (work_item_id)',
  ],
  archived_work_items: [
    'column id uuid not null',
    'column item_type character varying(20) not null',
    'column title character varying(200) not null',
    'column status character varying(20) not null',
    'column parent_id uuid',
    'column path character varying(500) not null',
    'column depth integer not null',
    'column branch_name character varying(100)',
    'column commit_hash character varying(40)',
    'column pr_number integer',
    'column metadata jsonb not null',
    'column deleted_at timestamp with time zone',
    'column created_at timestamp with time zone not null',
    'column updated_at timestamp with time zone not null',
    'column created_by character varying(100) not null',
    'column archived_at timestamp with time zone not null',
    'constraint archived_work_items_pkey PRIMARY KEY (id)',
    'index idx_archived_work_item_archived_at btree (archived_at)',
    'index idx_archived_work_item_created_at btree (created_at)',
    'index idx_archived_work_item_type btree (item_type)',
  ],
};

export const FEATURE_TABLE_NAMES = Object.keys(FEATURE_TABLES);

/** The tables of the search itself, which every revision leaves in place. */
export const CORE_TABLE_NAMES = ['repositories', 'code_files', 'code_chunks', 'embeddings'];

/** Query: table $1 of schema public, a line each for its columns in order, then for all else sorted. */
export const DESCRIBE_TABLE = `
  SELECT line FROM (
    SELECT attnum AS place, concat('column ', attname, ' ', format_type(atttypid, atttypmod),
      CASE WHEN attnotnull THEN ' not null' END, ' default ' || pg_get_expr(adbin, adrelid)) AS line
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT 10000, format('constraint %s %s', conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE conrelid = $1::regclass AND contype <> 'n'
    UNION ALL
    SELECT 10000, format('index %s %s%s', indexrelid::regclass, CASE WHEN indisunique THEN 'UNIQUE ' END,
      substring(pg_get_indexdef(indexrelid) FROM ' USING (.*)$'))
    FROM pg_index WHERE indrelid = $1::regclass AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype = 'p')
    UNION ALL
    SELECT 10000, format('sequence %s %s owned by %s', seqrelid::regclass, seqtypid::regtype, attname)
    FROM pg_sequence JOIN pg_depend ON objid = seqrelid AND deptype = 'a'
    JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
    WHERE refobjid = $1::regclass
  ) AS described ORDER BY place, line COLLATE "C"`;
