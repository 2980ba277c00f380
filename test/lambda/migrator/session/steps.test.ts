// What a step changes in its session: the next step of its revision keeps it, and the next revision, the version and the
// history do not meet it, whichever way the revisions are run.
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { downgrade, finalize, upgrade } from '../../../../lambda/migrator/migrator.ts';
import { offlineSql } from '../../../../lambda/migrator/offline.ts';
import { withClient } from '../../../../lib/twin/server/client.ts';
import { makeDatabase, migratorOn, type TestDatabase, testServer } from '../../../setup/database.ts';
import { databaseOf, type RevisionDraft } from '../../../setup/revisions.ts';

/** A role that may do nothing with the version and the history, and that the owner may become. */
const OTHER = 'backstop_test_other_role';

/** What a step changes → SQL that does it, and a query that answers with what there is. */
const CHANGES: Readonly<Record<string, readonly [change: string, question: string]>> = {
  'the search path': ["SET search_path = 'elsewhere', pg_catalog", "current_setting('search_path')"],
  'no search path, as pg_dump does': [
    "SELECT pg_catalog.set_config('search_path', '', false)",
    "pg_catalog.current_setting('search_path')",
  ],
  'the search path of the transaction': [
    'SET LOCAL search_path = elsewhere, public',
    "current_setting('search_path')",
  ],
  'the role': [`SET ROLE ${OTHER}`, 'current_user::text'],
  'the style of dates': ["SET DateStyle = 'SQL, DMY'", "date '2026-04-03'::text"],
  'the time zone': ["SET TIME ZONE 'Asia/Tokyo'", "timestamptz '2026-01-01 00:00:00+00'::text"],
  'the style of strings': ['SET standard_conforming_strings = off', String.raw`length('a\\b')::text`],
  'the reading of NULL': ['SET transform_null_equals = on', "coalesce((NULL = NULL)::text, 'null')"],
  'its notices': ['SET client_min_messages = error', "current_setting('client_min_messages')"],
  'its bounds, to none': [
    'SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET check_function_bodies = off',
    "current_setting('check_function_bodies')",
  ],
  'its bounds, to little': ["SET lock_timeout = '77ms'", "current_setting('lock_timeout')"],
  'the time of a statement': ["SET statement_timeout = '59s'", "current_setting('statement_timeout')"],
  'the isolation of later transactions': [
    "SET default_transaction_isolation = serializable; SET default_transaction_read_only = on",
    "current_setting('default_transaction_isolation')",
  ],
  'a setting of its own': ["SET app.tenant = '7'", "coalesce(nullif(current_setting('app.tenant', true), ''), 'none')"],
  'a temporary table': [
    'CREATE TEMPORARY TABLE shared AS SELECT 1 AS id',
    "coalesce(to_regclass('pg_temp.shared')::text, 'none')",
  ],
  'a temporary table with the name of a real one': [
    'CREATE TEMPORARY TABLE kept (note text)',
    "(SELECT count(*) FROM pg_class WHERE relname = 'kept')::text",
  ],
  'a prepared statement': [
    'PREPARE mine AS SELECT 1',
    '(SELECT count(*) FROM pg_prepared_statements)::text',
  ],
  'a cursor that is held': [
    'DECLARE mine CURSOR WITH HOLD FOR SELECT 1',
    "(SELECT count(*) FROM pg_cursors WHERE name = 'mine')::text",
  ],
  'a channel that it listens to': ['LISTEN mine', "(SELECT 'listening')"],
  'no prepared statement': ['DEALLOCATE ALL', "(SELECT 'gone')"],
  'no plan': ['DISCARD PLANS', "(SELECT 'gone')"],
  'no setting': [
    "SET search_path = public, elsewhere; RESET ALL; SET TIME ZONE 'Asia/Tokyo'",
    "current_setting('TimeZone')",
  ],
  'no advisory lock': ['SELECT pg_advisory_unlock_all()', "(SELECT 'gone')"],
  'a sequence that was asked': [
    "CREATE SEQUENCE IF NOT EXISTS kept_id; SELECT nextval('kept_id')",
    "coalesce(try_lastval()::text, 'none')",
  ],
  'the mode of a constraint': [
    'SET CONSTRAINTS ALL DEFERRED',
    "try_violation('INSERT INTO child_at_once VALUES (99)')",
  ],
  'the mode of a constraint, to at once': [
    'SET CONSTRAINTS ALL IMMEDIATE',
    "try_violation('INSERT INTO child_deferred VALUES (99)')",
  ],
  'rows whose constraint is checked later': [
    'INSERT INTO child_deferred VALUES (1); INSERT INTO parent VALUES (1)',
    "try_violation('ALTER TABLE child_deferred ADD note text')",
  ],
};

const SETUP = `
  CREATE SCHEMA elsewhere;
  GRANT USAGE ON SCHEMA public, elsewhere TO ${OTHER};
  CREATE TABLE kept (of text, what text);
  CREATE TABLE parent (id integer PRIMARY KEY);
  CREATE TABLE child_at_once (id integer REFERENCES parent DEFERRABLE INITIALLY IMMEDIATE);
  CREATE TABLE child_deferred (id integer REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
  GRANT INSERT ON kept TO ${OTHER};
  CREATE FUNCTION try_lastval() RETURNS bigint LANGUAGE plpgsql AS
    'BEGIN RETURN lastval(); EXCEPTION WHEN object_not_in_prerequisite_state THEN RETURN NULL; END';
  CREATE FUNCTION try_violation(sql text) RETURNS text LANGUAGE plpgsql AS
    'BEGIN EXECUTE sql; RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN RETURN ''done''; WHEN OTHERS THEN RETURN SQLSTATE; END';`;

const tell = (of: string, question: string) =>
  `INSERT INTO public.kept VALUES ('${of}', (SELECT ${question}));`;
