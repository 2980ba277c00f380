// The bounds of a statement: how long it may take, and how long it may wait for a lock, in the session as a step has left it.
import pg from 'pg';

/**
 * Bounds the next statement, and how long it waits for a lock, in the session as a step has left it: a shorter time of
 * the step stays. $1 and $2 are times with their units.
 */
export const LIMIT = `
  SELECT pg_catalog.set_config('client_encoding', 'UTF8', true),
         ${atMost('statement_timeout', '$1')},
         ${atMost('lock_timeout', '$2')}`;

/** The same for the first step of a file, whose search path is $3, of the revision $4: Backstop's own functions read it. */
export const LIMIT_AND_PATH = `${LIMIT}, pg_catalog.set_config('search_path', $3, true),
         pg_catalog.set_config('backstop.revision', $4, true)`;

/**
 * Bounds the next statement more briefly, if it must be: to nine tenths of the time after which a session that waits looks
 * for a deadlock. Answers with the time that it has, in ms.
 */
export const LIMIT_LOCKS = `
  WITH bound AS (SELECT 0.9 * pg_catalog.current_setting('deadlock_timeout')::pg_catalog.interval AS brief)
  SELECT ${atMost('statement_timeout', 'brief')},
         pg_catalog.date_part('epoch', brief) * 1000 AS "briefMs" FROM bound`;

function atMost(setting: string, limit: string): string {
  const none = `pg_catalog.regexp_replace(pg_catalog.current_setting('${setting}'), '^0$', '10000h')`;
  const least = `LEAST(${none}::pg_catalog.interval, ${limit}::pg_catalog.interval)`;
  return `pg_catalog.set_config('${setting}', pg_catalog.concat(pg_catalog.date_part('epoch', ${least}), 's'), true)`;
}

/** The bound of a statement in a script, which psql must not answer with a row. */
export function boundInScript(statement: string): string {
  return `DO LANGUAGE plpgsql $do$ BEGIN PERFORM ${atMost('statement_timeout', pg.escapeLiteral(statement))}; END $do$;`;
}

/** The same bounds, whatever the session has. */
export function bound([statement, lock]: readonly [statement: string, lock: string]): string {
  return `SET LOCAL statement_timeout = '${statement}'; SET LOCAL lock_timeout = '${lock}';`;
}
