// Sessions that rely on no object for its name: Backstop's own objects are looked at before they are used.
import type { Database } from '../revisions/databases.ts';
import type { Queries } from '../session/client.ts';
import {
  type MigratorOptions,
  type Runner,
  type Session,
  withRunner,
  withSession,
} from '../session/session.ts';
import { createFingerprints } from './fingerprint.ts';
import { createHistory } from './history.ts';
import { ownObjects, requireOurs } from './ours.ts';
import { findHeir, type Heir, handOver } from './ownership.ts';
import { findTables } from './tables.ts';

/** As {@link withSession}. Throws StrangersObject, too. */
export function withSecuredSession<T>(
  options: MigratorOptions,
  purpose: string,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  return withSession(options, purpose, secured(work));
}

/** As {@link withRunner}. Throws StrangersObject, too. */
export function withSecuredRunner<T>(
  options: MigratorOptions,
  verb: string,
  work: (runner: Runner) => Promise<T>,
): Promise<T> {
  return withRunner(options, verb, secured(work));
}

function secured<S extends Session, T>(work: (session: S) => Promise<T>): (session: S) => Promise<T> {
  return async (session) => {
    await requireOurs(session, ownObjects(session.database));
    return work(session);
  };
}

/**
 * Prepares the open transaction to write: the history and the table of fingerprints are there and have their owner, and until the end others cannot put a
 * trigger on it or on the version table.
 *
 * @returns the role that gets what the transaction makes
 * @throws StrangersObject
 */
export async function secureForWriting(queries: Queries, database: Database): Promise<Heir> {
  const own = ownObjects(database);
  await createHistory(queries);
  await createFingerprints(queries);
  const heir = await findHeir(queries, own.known);
  await handOver(queries, { role: heir.role });
  const tables = await findTables(queries, [
    'backstop.history',
    'backstop.fingerprints',
    'backstop.retired',
    'public.alembic_version',
  ]);
  const names = tables.map(({ sql }) => `ONLY ${sql}`).join(', ');
  if (names !== '') await queries.query(`LOCK TABLE ${names} IN ROW EXCLUSIVE MODE`);
  await requireOurs(queries, own);
  return heir;
}
