// The fingerprint of a database: its catalogue as lines, an object a line, and their hash.
import type { Queries } from '../session/client.ts';
import { askNow } from './fingerprint/query.ts';

export { type Pair, readDifferences } from './fingerprint/differences.ts';
export { createFingerprints } from './fingerprint/kept.ts';
export { readDifferencesSince } from './fingerprint/since.ts';

/** The hash of the catalogue as the open transaction sees it, or a statement alone: 64 hexadecimal digits. */
export async function readFingerprint(queries: Queries): Promise<string> {
  const [row] = await askNow<{ hash: string }>(queries, ' SELECT hash FROM now');
  return (row as { hash: string }).hash;
}

/** The lines, in the order of their bytes. */
export async function readLines(queries: Queries): Promise<string[]> {
  const [row] = await askNow<{ lines: string }>(queries, ' SELECT lines FROM now');
  return row?.lines ? row.lines.split('\n') : [];
}

/** The same in the open transaction, which keeps the lines for readDifferences; the table must be there. */
export async function keepFingerprint(queries: Queries): Promise<string> {
  const [row] = await askNow<{ hash: string }>(
    queries,
    `, kept AS (
       INSERT INTO backstop.fingerprints (hash, lines)
       SELECT n.hash, n.lines FROM now AS n WHERE NOT EXISTS (SELECT FROM backstop.fingerprints AS f WHERE f.hash = n.hash)
       ON CONFLICT DO NOTHING)
     SELECT hash FROM now`,
    { writes: true },
  );
  return (row as { hash: string }).hash;
}
