// The session as it is at the start: the settings that decide what SQL means, and the SQL that brings them back.
//
// Memory, parallel workers, the planner, storage and logs are the server's business, and are left alone on purpose.
import pg from 'pg';
import { BackstopError } from '../model/errors.ts';
import type { Queries } from './client.ts';
import { noticeDeadClient } from './dead-client.ts';
import { DEALLOCATE_OTHERS } from './prepared-statements.ts';

/** Between two statements of a transaction, for a runner that has died; as the server writes it. */
export const IDLE_IN_TRANSACTION = '1min';

/** Setting → value, both as the server writes them. Every role may set them, in every version that has them. */
const SETTINGS = {
  // Which objects a name means: others may create in other schemas. And which rows a query sees: a policy must fail it.
  search_path: 'pg_catalog, pg_temp',
  row_security: 'off',
  restrict_nonsystem_relation_kind: '',
  gin_fuzzy_search_limit: '0',
  // The meaning of a literal.
  client_encoding: 'UTF8',
  standard_conforming_strings: 'on',
  backslash_quote: 'safe_encoding',
  array_nulls: 'on',
  transform_null_equals: 'off',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  timezone_abbreviations: 'Default',
  xmloption: 'content',
  // The text of a value: in rows, and in the answers that are read back.
  extra_float_digits: '1',
  bytea_output: 'hex',
  xmlbinary: 'base64',
  lc_numeric: 'C',
  lc_time: 'C',
  quote_all_identifiers: 'off',
  // The objects that CREATE makes.
  check_function_bodies: 'on',
  default_tablespace: '',
  default_table_access_method: 'heap',
  createrole_self_grant: '',
  'plpgsql.check_asserts': 'on',
  'plpgsql.extra_errors': 'none',
  'plpgsql.extra_warnings': 'none',
  'plpgsql.print_strict_params': 'off',
  // Which notices are sent, and that an error does not end the connection.
  client_min_messages: 'notice',
  escape_string_warning: 'on',
  exit_on_error: 'off',
  // Each statement of a run must see the commits of other sessions, and may write; its COMMIT must last.
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  synchronous_commit: 'on',
  // Only the bounds of the run end it. A runner that dies must not leave locks: between statements, …
  statement_timeout: '0',
  lock_timeout: '0',
  transaction_timeout: '0',
  idle_session_timeout: '0',
  idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION,
  // … and where its network is gone.
  tcp_keepalives_idle: '15',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
} as const;

/** The same, for settings that only a superuser may set, or who was granted it, and that change the meaning of SQL. */
const DECIDING = {
  // Whether triggers fire and foreign keys are checked.
  session_replication_role: 'origin',
  event_triggers: 'on',
  // Which of two things a name in a function means.
  'plpgsql.variable_conflict': 'error',
} as const;

/** The same, for settings that change no more than a report: a superuser's session has them. */
const TELLING = {
  lc_messages: 'C',
  // The server counts the rows that a run writes, and shows which session waits for which.
  track_counts: 'on',
  track_activities: 'on',
} as const;

/** The names of all of these settings, in small letters. */
export const PINNED: readonly string[] = Object.keys({ ...SETTINGS, ...DECIDING, ...TELLING }).map((name) =>
  name.toLowerCase(),
);

/** With it a COMMIT lasts, too, and is seen on standbys at once. */
const KEPT = 'remote_apply';

/** Quick, and before anything else: a limit of the database may be too short even for the next question. */
const NO_LIMITS = `
  SET statement_timeout = 0; SET idle_session_timeout = 0;
  SELECT pg_catalog.set_config(name, '0', false) FROM (VALUES ('transaction_timeout')) AS newer(name)
  WHERE pg_catalog.current_setting(name, true) OPERATOR(pg_catalog.<>) '0';`;

/** Sets the settings that differ: those in $1 as any role, those in $2 as a superuser. No name depends on the search path. */
const SET_ALL = `
  SELECT name, value, was,
         CASE WHEN anybody OR pg_catalog.current_setting('is_superuser')::pg_catalog.bool
              THEN pg_catalog.set_config(name, value, false) END AS is
  FROM (SELECT name, value, pg_catalog.current_setting(name, true) AS was, anybody
        FROM (SELECT key AS name, value, true AS anybody FROM pg_catalog.jsonb_each_text($1)
              UNION ALL SELECT key, value, false FROM pg_catalog.jsonb_each_text($2)) AS wanted
        OFFSET 0) AS found
  WHERE was OPERATOR(pg_catalog.<>) value AND was OPERATOR(pg_catalog.<>) '${KEPT}'`;

interface Different {
  readonly name: string;
  readonly value: string;
  /** The value of the role or the database. */
  readonly was: string;
  /** Null if this role may not set it. */
  readonly is: string | null;
}

/**
 * Makes a new session neutral: no setting of its role or database decides what SQL means.
 *
 * @returns SQL that makes it so again, whatever has been set since
 * @throws ConfigurationError if a setting decides what SQL means, and this role may not set it
 */
export async function neutralize(queries: Queries): Promise<string> {
  const noticed = await noticeDeadClient('SET', async (notice) => {
    await queries.query(`${NO_LIMITS} ${notice}`);
    return notice;
  });
  const { rows } = await queries.query<Different>(SET_ALL, [
    JSON.stringify(SETTINGS),
    JSON.stringify({ ...DECIDING, ...TELLING }),
  ]);
  const set = rows.filter(({ is }) => is !== null);
  for (const different of rows.filter(({ is, name }) => is === null && Object.hasOwn(DECIDING, name))) {
    await setGranted(queries, different);
    set.push(different);
  }
  return [
    RESET,
    // They are no different any more when the others are compared.
    NO_LIMITS.trim().slice(0, -1),
    ...(noticed === '' ? [] : [noticed.slice(0, -1)]),
    // The path is a list, and in quotes it would be one name.
    ...set.map(
      ({ name, value }) => `SET ${name} TO ${name === 'search_path' ? value : pg.escapeLiteral(value)}`,
    ),
    '',
  ].join(';\n');
}

/** The user who logged in, in the role in which the session began: RESET ALL leaves both. */
export const RESET = 'RESET SESSION AUTHORIZATION;\nRESET ROLE;\nRESET ALL';

/** Sets what this role may have been granted to set. */
async function setGranted(queries: Queries, { name, value, was }: Different): Promise<void> {
  // A setting of PL/pgSQL is anybody's until PL/pgSQL is loaded, and has no effect then.
  if (name.startsWith('plpgsql.')) await queries.query('DO LANGUAGE plpgsql $$ BEGIN END $$');
  await queries.query(`SET ${name} TO ${pg.escapeLiteral(value)}`).catch((error: { code?: string }) => {
    if (error.code !== '42501') throw error;
    throw new BackstopError('ConfigurationError', {
      message: `The setting ${name} is ${was} for this role or database, so that SQL would not do what it says`,
      detail: `It has to be ${value}, and this role may not set it.`,
      hint: `As a superuser: ALTER DATABASE … RESET ${name}; or ALTER ROLE … RESET ${name}; then run again.`,
    });
  });
}

/**
 * Checks the deferred constraints, and gives each constraint back the mode that it was made with. `SET CONSTRAINTS ALL` would
 * be one word, but there is no way back from it: a constraint that is made later would be checked at once, too.
 */
export const CHECK_DEFERRED = `DO LANGUAGE plpgsql $do$
DECLARE
  constraints text;
  deferred text;
BEGIN
  SELECT pg_catalog.string_agg(name, ', '), pg_catalog.string_agg(name, ', ') FILTER (WHERE is_deferred)
  INTO constraints, deferred
  FROM (SELECT pg_catalog.format('%I.%I', n.nspname, c.conname) AS name,
               pg_catalog.bool_or(c.condeferrable) AS can_be, pg_catalog.bool_and(c.condeferred) AS is_deferred
        FROM pg_catalog.pg_constraint AS c
        JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.connamespace
        WHERE c.conname OPERATOR(pg_catalog.=) ANY (SELECT d.conname FROM pg_catalog.pg_constraint AS d WHERE d.condeferrable)
        GROUP BY n.nspname, c.conname) AS named
  WHERE can_be;
  IF constraints IS NOT NULL THEN
    EXECUTE pg_catalog.concat('SET CONSTRAINTS ', constraints, ' IMMEDIATE');
  END IF;
  IF deferred IS NOT NULL THEN
    EXECUTE pg_catalog.concat('SET CONSTRAINTS ', deferred, ' DEFERRED');
  END IF;
END
$do$;`;

const forget = (deallocate: string) =>
  `CLOSE ALL; ${deallocate} UNLISTEN *; DISCARD TEMP; DISCARD SEQUENCES;`;

/** Takes from the session the rest of its state. Advisory locks stay: the lock of the runner is one of them. */
export const FORGET = forget('DEALLOCATE ALL;');

/** The same, but for the statements that the run itself has prepared. */
export const FORGET_OF_STEPS = forget(DEALLOCATE_OTHERS);

/** The same settings in a script, for the rest of its transaction, on a server of any version and as any role. */
export const SETTINGS_OF_SCRIPT = `DO LANGUAGE plpgsql $do$
DECLARE
  wanted record;
BEGIN
  FOR wanted IN SELECT key AS name, value FROM pg_catalog.jsonb_each_text('{
    ${Object.entries({ ...SETTINGS, ...DECIDING })
      .map(([name, value], index) => `${index % 3 === 2 ? '\n    ' : ' '}"${name}": "${value}"`)
      .join(',')
      .trim()}
  }') LOOP
    -- What another version does not know stays unset.
    IF pg_catalog.current_setting(wanted.name, true) OPERATOR(pg_catalog.<>) ALL (ARRAY[wanted.value, '${KEPT}']) THEN
      PERFORM pg_catalog.set_config(wanted.name, wanted.value, true);
    END IF;
  END LOOP;
END
$do$;`;
