// The bounds of a statement: how long it may take, and how long it may wait for a lock, in the session as a step has left it.
import pg from 'pg';

/** The time after which a session that waits looks for a deadlock, in ms. */
export const DEADLOCK_TIMEOUT = `
  SELECT pg_catalog.date_part('epoch', pg_catalog.current_setting('deadlock_timeout')::pg_catalog.interval) * 1000 AS ms`;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time as the server shows a setting, such as `5min` or `0`, in ms. */
export function milliseconds(shown: string): number {
  return Number.parseInt(shown, 10) * (UNITS[shown.replace(/^\d+/, '')] ?? 1);
}

/**
 * Bounds the next statement of a script, in the session as a step has left it: a shorter time of the step stays. psql must not
 * answer with a row.
 *
 * @param limit a time with its unit
 */
export function boundInScript(limit: string): string {
  const none = `pg_catalog.regexp_replace(pg_catalog.current_setting('statement_timeout'), '^0$', '10000h')`;
  const least = `LEAST(${none}::pg_catalog.interval, ${pg.escapeLiteral(limit)}::pg_catalog.interval)`;
  const value = `pg_catalog.concat(pg_catalog.date_part('epoch', ${least}), 's')`;
  return `DO LANGUAGE plpgsql $do$ BEGIN PERFORM pg_catalog.set_config('statement_timeout', ${value}, true); END $do$;`;
}

/** How long a statement may take, and how long it may wait for a lock, in ms; 0 is for ever. */
export type Limits = readonly [statement: number, lock: number];

/** The statements that bound the next ones. */
export function bound([statement, lock]: Limits): string[] {
  return [`SET LOCAL statement_timeout = '${statement}ms';`, `SET LOCAL lock_timeout = '${lock}ms';`];
}
