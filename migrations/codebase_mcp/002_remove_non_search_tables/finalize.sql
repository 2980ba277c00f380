-- Finalize: Drop the retired non-search tables
-- Revision: 002
-- Locks: retired_002.archived_work_items, retired_002.work_item_deployment_links, retired_002.vendor_deployment_links, retired_002.work_item_dependencies, retired_002.future_enhancements, retired_002.project_configuration, retired_002.deployment_events, retired_002.vendor_extractors, retired_002.tasks
--
-- Drops schema retired_002 and with it, for good, every row that revision 002 retired. CASCADE reaches beyond the
-- schema, so this file first names everything that CASCADE takes along. Running it again changes nothing.

-- step: Checking the retired schema
DO $do$
DECLARE
  strangers record;
BEGIN
  SELECT
    string_agg(format('%s %s', stranger.type, stranger.identity), ', ' ORDER BY stranger.identity) AS names,
    string_agg(format('ALTER %s %s SET SCHEMA kept_002;', upper(stranger.type), stranger.identity), ' '
      ORDER BY stranger.identity) AS remedy
  INTO strangers
  FROM pg_depend AS membership
  CROSS JOIN LATERAL pg_identify_object(membership.classid, membership.objid, 0) AS stranger
  WHERE membership.refclassid = 'pg_namespace'::regclass
    AND membership.refobjid = to_regnamespace('retired_002')
    AND membership.deptype = 'n'
    AND NOT (membership.classid = 'pg_class'::regclass AND stranger.type = 'table' AND stranger.name IN (
      'archived_work_items', 'work_item_deployment_links', 'vendor_deployment_links', 'work_item_dependencies',
      'future_enhancements', 'project_configuration', 'deployment_events', 'vendor_extractors', 'tasks'
    ))
    -- A sequence that a column owns belongs to its table.
    AND NOT EXISTS (
      SELECT FROM pg_depend AS ownership
      WHERE ownership.classid = membership.classid AND ownership.objid = membership.objid
        AND ownership.refclassid = 'pg_class'::regclass AND ownership.deptype IN ('a', 'i')
    );
  IF strangers.names IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = 'dependent_objects_still_exist',
      MESSAGE = 'Schema retired_002 holds objects that revision 002 did not retire',
      DETAIL = format('Found: %s', strangers.names),
      HINT = format('Run: CREATE SCHEMA IF NOT EXISTS kept_002; %s', strangers.remedy);
  END IF;
END $do$;

-- step: Naming what CASCADE takes along
DO $do$
DECLARE
  doomed record;
BEGIN
  FOR doomed IN
    WITH RECURSIVE reached (classid, objid, objsubid) AS (
      SELECT 'pg_namespace'::regclass::oid, oid, 0 FROM pg_namespace WHERE nspname = 'retired_002'
      UNION
      SELECT next.classid, next.objid, next.objsubid
      FROM reached
      CROSS JOIN LATERAL (
        -- the objects that depend on it
        SELECT classid, objid, objsubid FROM pg_depend
        WHERE refclassid = reached.classid AND refobjid = reached.objid
          AND (reached.objsubid = 0 OR refobjsubid = reached.objsubid)
        UNION ALL
        -- and the object that contains it, such as the view of a rule: the whole is dropped with its part
        SELECT refclassid, refobjid, refobjsubid FROM pg_depend
        WHERE classid = reached.classid AND objid = reached.objid AND deptype = 'i'
      ) AS next
    )
    SELECT found.identity, CASE WHEN EXISTS (
      SELECT FROM pg_constraint
      WHERE reached.classid = 'pg_constraint'::regclass AND oid = reached.objid AND contype = 'f'
    ) THEN 'foreign key' ELSE found.type END AS type
    FROM reached
    CROSS JOIN LATERAL pg_identify_object(reached.classid, reached.objid, reached.objsubid) AS found
    LEFT JOIN pg_class AS relation ON reached.classid = 'pg_class'::regclass AND relation.oid = reached.objid
    -- The members of the schema are not named, nor are parts of a dropped object. But a partition is named: it is a
    -- separate table, and did not move with its parent.
    WHERE reached.classid <> 'pg_namespace'::regclass AND NOT EXISTS (
      SELECT FROM pg_depend AS owner
      JOIN reached AS owning ON owning.classid = owner.refclassid AND owning.objid = owner.refobjid
        AND owning.objsubid IN (0, owner.refobjsubid)
      WHERE owner.classid = reached.classid AND owner.objid = reached.objid AND owner.objsubid = reached.objsubid
        AND (
          owner.refclassid = 'pg_namespace'::regclass
          OR owner.deptype = 'i'
          OR (owner.deptype = 'a' AND NOT (relation.relispartition AND relation.relkind IN ('r', 'p', 'f')) IS TRUE)
        )
    )
    ORDER BY found.identity
  LOOP
    RAISE NOTICE 'CASCADE drops % %', doomed.type, doomed.identity;
  END LOOP;
END $do$;

-- step: Dropping the retired tables
DO $do$
DECLARE
  retired bigint := (SELECT count(*) FROM pg_tables WHERE schemaname = 'retired_002');
BEGIN
  DROP SCHEMA IF EXISTS retired_002 CASCADE;
  RAISE NOTICE '% tables dropped for good', retired;
END $do$;
