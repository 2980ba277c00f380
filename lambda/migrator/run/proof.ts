// The fingerprint at the end of a transaction, and after a downgrade its comparison with the one before the upgrades.
import { readComparison } from '../database/comparison.ts';
import { keepFingerprint } from '../database/fingerprint.ts';
import type { RunReport } from '../model/report.ts';
import type { Begun } from './result.ts';
import type { Run } from './run.ts';

/** Reads them in the open transaction, after the last change. */
export async function readProof(
  run: Run,
  { fingerprint: before, since: runs }: Pick<Begun, 'fingerprint' | 'since'>,
): Promise<Pick<RunReport, 'fingerprint' | 'comparison'>> {
  const after = await keepFingerprint(run);
  const fingerprint = { before, after };
  if (run.direction !== 'downgrade') return { fingerprint };
  const comparison = await readComparison(run, run.database.chain, { to: run.to, runs, ...fingerprint });
  return { fingerprint, ...(comparison && { comparison }) };
}
