// Revisions that call the functions of schema backstop: their finalize follows from the record of the retired tables.
import pg from 'pg';
import type { Script } from './revision.ts';

/** Whether the text calls one of these functions, in a statement or in the body of one. */
export function callsRetiring(text: string): boolean {
  return /\bbackstop"?\s*\.\s*"?(?:retire|restore)/i.test(text);
}

/**
 * The steps of finalize.sql, if there is one; then the retired tables and columns are dropped. Undefined if there is neither.
 *
 * @param retires the tables in the header: an earlier version of the revision may have retired them by hand
 */
export function finalizeOf(
  { title, isRetiring }: Script,
  retires: readonly string[],
  own: Script | undefined,
): Script | undefined {
  if (!isRetiring) return own;
  const names = retires.map((name) => pg.escapeLiteral(name)).join(', ');
  const sql = `SELECT backstop.drop_retired(${names});`;
  const drop = { title: 'Dropping the retired tables and columns', sql };
  return {
    title: own?.title ?? `Finalize: ${title}`,
    get steps() {
      return [...(own?.steps ?? []), drop];
    },
    get unwrapped() {
      return own?.unwrapped;
    },
    locks: own?.locks ?? [],
    refuses: own?.refuses ?? new Map(),
    scans: own?.scans ?? [],
    searchPath: own?.searchPath ?? ['pg_catalog', 'pg_temp'],
    endsTransaction: false,
    isRetiring: true,
  };
}
