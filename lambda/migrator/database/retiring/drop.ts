// Finalize, as SQL: the retired tables and columns of a revision are dropped for good, and can be made again empty.
import { PLPGSQL } from './shared.ts';

/** Notes tables that an earlier version of the revision has moved to its schema by hand. */
export const ADOPT = `CREATE FUNCTION backstop.retired_by_hand(VARIADIC targets text[]) RETURNS void ${PLPGSQL} AS $fn$
DECLARE
  revision_id CONSTANT text := backstop.retiring_revision();
BEGIN
  INSERT INTO backstop.retired (revision, schema_name, table_name, kept_as, record)
  SELECT revision_id, wanted.parts[1], wanted.parts[2], c.relname, pg_catalog.jsonb_build_object('members', pg_catalog.jsonb_build_array(
           pg_catalog.jsonb_build_object('schema', wanted.parts[1], 'name', c.relname, 'kind', c.relkind, 'kept_as', c.relname, 'renamed', '[]'::jsonb)))
  FROM (SELECT pg_catalog.parse_ident(u.name) AS parts, u.place FROM pg_catalog.unnest(targets) WITH ORDINALITY AS u (name, place)) AS wanted
  JOIN pg_catalog.pg_namespace AS n ON n.nspname = 'retired_' || revision_id
  JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = wanted.parts[2] AND c.relkind IN ('r', 'p')
  WHERE NOT EXISTS (
    SELECT FROM backstop.retired AS r CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(r.record -> 'members') AS m
    WHERE r.revision = revision_id AND m ->> 'kept_as' = c.relname)
  ORDER BY wanted.place DESC;
END $fn$`;

/** Runs recorded statements. Foreign keys whose rows now refer to missing rows are not validated. */
export const RUN = `CREATE FUNCTION backstop.retiring_run(statements jsonb) RETURNS void ${PLPGSQL} AS $fn$
DECLARE
  statement text;
BEGIN
  FOR statement IN
    SELECT s #>> '{}' FROM pg_catalog.jsonb_array_elements(statements) WITH ORDINALITY AS all_of_them (s, place) ORDER BY place
  LOOP
    BEGIN
      EXECUTE statement;
    EXCEPTION WHEN foreign_key_violation THEN
      EXECUTE statement || ' NOT VALID';
      RAISE NOTICE 'Not validated, because rows refer to lost rows: %', statement;
    END;
  END LOOP;
END $fn$`;

/**
 * `status IN ('a', 'b')` of a varchar column, as the server writes it: read again in that form, it would mean the same and
 * be written in another one. With `status = ANY (ARRAY['a', 'b'])` it stays as it is.
 */
const VARCHAR_LIST = String.raw`$re$\(("(?:[^"]|"")+"|[a-z_][a-z0-9_]*)\)::text (= ANY|<> ALL) \(\(ARRAY\[((?:'(?:[^']|'')*'::character varying(?:, )?)+)\]\)::text\[\]\)$re$`;
/** Casts, brackets and blanks: the server writes an expression with others of them when it has read it again. */
const MEANINGLESS = String.raw`$re$::[a-z ]+(\[\])?|[() ]$re$`;

/**
 * Drops the retired tables and columns of the revision, and records the statements that make them again, with the objects
 * of others that go with them. Before, it has run these statements and compared the result.
 *
 * In the parameter are tables that an earlier version of the revision may have moved by hand.
 */
export const DROP_RETIRED = `CREATE FUNCTION backstop.drop_retired(VARIADIC targets text[] DEFAULT '{}') RETURNS void ${PLPGSQL} AS $fn$
DECLARE
  revision_id CONSTANT text := backstop.retiring_revision();
  home CONSTANT text := 'retired_' || revision_id;
  first bigint;
  member record;
  part record;
  dependent record;
  scratch text;
  tables oid[] := '{}';
  names text[] := '{}';
  statements jsonb;
  before text[];
  again text[];
  missing text;
  problem text;
  said CONSTANT text := pg_catalog.current_setting('client_min_messages');
BEGIN
  PERFORM backstop.retired_by_hand(VARIADIC targets);
  PERFORM backstop.refuse_strangers();
  PERFORM backstop.refuse_children();
  PERFORM backstop.drop_retired_columns();
  tables := ARRAY(
    SELECT c.oid FROM backstop.retired AS r
    CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(r.record -> 'members') WITH ORDINALITY AS members (m, place)
    JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.to_regclass(pg_catalog.format('%I.%I', home, m ->> 'kept_as'))
    WHERE r.revision = revision_id ORDER BY r.id, place);
  IF tables <> '{}' THEN
    SELECT pg_catalog.concat(d.type, ' ', d.identity) AS what, d.remedy INTO dependent
    FROM backstop.retiring_dependents(tables) AS d WHERE d.remedy IS NOT NULL LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION USING
        ERRCODE = 'dependent_objects_still_exist',
        MESSAGE = pg_catalog.format('The %s would be dropped with the tables that revision %s retired', dependent.what, revision_id),
        HINT = pg_catalog.format('Take it out of the way, then run again: %s', dependent.remedy);
    END IF;
    FOR dependent IN
      SELECT DISTINCT d.type, d.identity FROM backstop.retiring_dependents(tables) AS d WHERE d.phase <> 76 ORDER BY d.identity
    LOOP
      RAISE NOTICE 'CASCADE drops % %', dependent.type, dependent.identity;
    END LOOP;
    FOR member IN
      SELECT m ->> 'schema' AS schema, m ->> 'name' AS name, m -> 'renamed' AS renamed, c.oid::regclass AS here,
             'backstop_' || pg_catalog.md5(m ->> 'schema') AS scratch, pg_catalog.pg_get_userbyid(c.relowner) AS owner
      FROM backstop.retired AS r
      CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(r.record -> 'members') WITH ORDINALITY AS members (m, place)
      JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.to_regclass(pg_catalog.format('%I.%I', home, m ->> 'kept_as'))
      WHERE r.revision = revision_id ORDER BY r.id, place
    LOOP
      -- Statements are written as the tables were called, whatever has their names now.
      IF pg_catalog.to_regnamespace(member.scratch) IS NULL THEN
        EXECUTE pg_catalog.format('CREATE SCHEMA %I', member.scratch);
      END IF;
      EXECUTE pg_catalog.format('GRANT ALL ON SCHEMA %I TO %I', member.scratch, member.owner);
      EXECUTE pg_catalog.format('ALTER TABLE %s SET SCHEMA %I', member.here, member.scratch);
      FOR part IN
        SELECT r ->> 'class' AS class, r ->> 'name' AS name, r ->> 'kept_as' AS kept_as
        FROM pg_catalog.jsonb_array_elements(member.renamed) AS r
      LOOP
        EXECUTE pg_catalog.format('ALTER %s %I.%I RENAME TO %I', part.class, member.scratch, part.kept_as, part.name);
      END LOOP;
      names := names || pg_catalog.format('%I.%I', member.scratch, member.name);
    END LOOP;
    before := ARRAY(SELECT d.sql FROM backstop.retiring_definitions(tables) AS d);
    statements := (
      SELECT pg_catalog.jsonb_agg(CASE WHEN s.phase < 80 THEN pg_catalog.regexp_replace(s.sql, ${VARCHAR_LIST}, '\\1 \\2 (ARRAY[\\3])', 'g') ELSE s.sql END
        ORDER BY s.phase, s.place, s.sql)
      FROM (SELECT d.phase, d.place, d.sql FROM backstop.retiring_definitions(tables) AS d
            UNION ALL SELECT d.phase, d.place, d.sql FROM backstop.retiring_dependents(tables) AS d) AS s);
    -- All that it takes along is said already.
    PERFORM pg_catalog.set_config('client_min_messages', 'warning', true);
    EXECUTE 'DROP TABLE ' || pg_catalog.array_to_string(names, ', ') || ' CASCADE';
    BEGIN
      PERFORM backstop.retiring_run(statements);
      missing := (SELECT pg_catalog.min(u.name) FROM pg_catalog.unnest(names) AS u (name) WHERE pg_catalog.to_regclass(u.name) IS NULL);
      again := ARRAY(SELECT d.sql FROM backstop.retiring_definitions(ARRAY(
        SELECT pg_catalog.to_regclass(u.name)::oid FROM pg_catalog.unnest(names) WITH ORDINALITY AS u (name, place) ORDER BY place)) AS d);
      RAISE EXCEPTION USING ERRCODE = 'BS000';
    EXCEPTION
      WHEN SQLSTATE 'BS000' THEN
        problem := (
          SELECT pg_catalog.min(b.sql) FROM pg_catalog.unnest(before) AS b (sql) WHERE pg_catalog.regexp_replace(b.sql, ${MEANINGLESS}, '', 'g')
            NOT IN (SELECT pg_catalog.regexp_replace(a.sql, ${MEANINGLESS}, '', 'g') FROM pg_catalog.unnest(again) AS a (sql)));
      WHEN lock_not_available OR deadlock_detected THEN
        RAISE;
      WHEN OTHERS THEN
        problem := pg_catalog.format('%s (SQLSTATE %s)', SQLERRM, SQLSTATE);
    END;
    PERFORM pg_catalog.set_config('client_min_messages', said, true);
    IF missing IS NOT NULL THEN
      problem := missing || ' is a foreign table, or follows a type';
    ELSIF problem IS NULL AND pg_catalog.cardinality(again) <> pg_catalog.cardinality(before) THEN
      problem := 'they would have other parts';
    END IF;
    FOR member IN SELECT DISTINCT m ->> 'schema' AS schema FROM backstop.retired AS r
      CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(r.record -> 'members') AS m WHERE r.revision = revision_id
    LOOP
      scratch := 'backstop_' || pg_catalog.md5(member.schema);
      problem := pg_catalog.replace(problem, scratch || '.', pg_catalog.quote_ident(member.schema) || '.');
      statements := pg_catalog.replace(statements::text, scratch || '.',
        pg_catalog.btrim(pg_catalog.to_json(pg_catalog.quote_ident(member.schema))::text, '"') || '.')::jsonb;
      EXECUTE pg_catalog.format('DROP SCHEMA IF EXISTS %I', scratch);
    END LOOP;
    IF problem IS NOT NULL THEN
      RAISE EXCEPTION USING
        ERRCODE = 'feature_not_supported',
        MESSAGE = pg_catalog.format('The tables that revision %s retired could not be made again as they are', revision_id),
        DETAIL = problem,
        HINT = pg_catalog.format('To drop them without a way back, write DROP TABLE %I.…; in a finalize.sql of the revision.', home);
    END IF;
    RAISE NOTICE '% dropped for good', CASE pg_catalog.cardinality(tables) WHEN 1 THEN '1 table' ELSE pg_catalog.cardinality(tables) || ' tables' END;
  END IF;
  SELECT pg_catalog.min(r.id) INTO first FROM backstop.retired AS r
  WHERE r.revision = revision_id AND r.record ? 'members' AND NOT r.record ? 'finalized';
  UPDATE backstop.retired AS r SET record = pg_catalog.jsonb_build_object('finalized', true)
    || CASE WHEN r.id = first THEN pg_catalog.jsonb_build_object('statements', coalesce(statements, '[]')) ELSE '{}' END
  WHERE r.revision = revision_id AND r.record ? 'members' AND NOT r.record ? 'finalized';
  PERFORM backstop.drop_retired_schema();
END $fn$`;

/** The retired columns of tables that stay. A column of a table that is retired, too, goes and comes with it. */
export const DROP_COLUMNS = `CREATE FUNCTION backstop.drop_retired_columns() RETURNS void ${PLPGSQL} AS $fn$
DECLARE
  retired backstop.retired;
  here regclass;
  needed record;
BEGIN
  FOR retired IN
    SELECT * FROM backstop.retired AS r
    WHERE r.revision = backstop.retiring_revision() AND r.column_name IS NOT NULL AND NOT r.record ? 'finalized' ORDER BY r.id
  LOOP
    here := backstop.retired_column_of(retired);
    CONTINUE WHEN here IS NULL OR EXISTS (
      SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      WHERE c.oid = here AND n.nspname = 'retired_' || retired.revision);
    SELECT pg_catalog.string_agg(DISTINCT d.what, ', ') AS objects, pg_catalog.string_agg(DISTINCT d.remedy, ' ') AS remedy INTO needed
    FROM backstop.retiring_needs(here, retired.kept_as::name) AS d;
    IF needed.objects IS NOT NULL THEN
      RAISE EXCEPTION USING
        ERRCODE = 'dependent_objects_still_exist',
        MESSAGE = pg_catalog.format('The retired column %I of %s is needed by %s', retired.kept_as, here, needed.objects),
        HINT = pg_catalog.format('Drop them, then run again: %s', needed.remedy);
    END IF;
    UPDATE backstop.retired AS r SET record = r.record || pg_catalog.jsonb_build_object('finalized', true, 'statements',
      (SELECT pg_catalog.jsonb_agg(d.sql ORDER BY d.phase, d.place, d.sql)
       FROM backstop.retiring_column_definitions(here, retired.kept_as::name, pg_catalog.format('%I.%I', retired.schema_name, retired.table_name)) AS d))
    WHERE r.id = retired.id;
    EXECUTE pg_catalog.format('ALTER TABLE %s DROP COLUMN %I', here, retired.kept_as);
    RAISE NOTICE 'Column % of % dropped for good', retired.column_name, here;
  END LOOP;
END $fn$`;

/** Drops the schema of the revision, unless it holds other objects. */
export const DROP_SCHEMA = `CREATE FUNCTION backstop.drop_retired_schema() RETURNS void ${PLPGSQL} AS $fn$
DECLARE
  home CONSTANT text := 'retired_' || backstop.retiring_revision();
BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = home) THEN
    EXECUTE pg_catalog.format('DROP SCHEMA %I RESTRICT', home);
  END IF;
EXCEPTION WHEN dependent_objects_still_exist THEN
  RAISE NOTICE 'Schema % kept, it holds objects that revision % did not retire', home, backstop.retiring_revision();
END $fn$`;
