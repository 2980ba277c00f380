// The begin of a transaction: everything that is read and locked before the first step.
import { readRunsSince } from '../database/comparison.ts';
import { refuseDrift } from '../database/drift.ts';
import { readMoment, readWrittenRows } from '../database/evidence.ts';
import { keepFingerprint } from '../database/fingerprint.ts';
import { lockedAnyway, modesOf } from '../database/foresee.ts';
import { countRowsAtStake } from '../database/losses.ts';
import type { Retiring } from '../database/retiring/functions.ts';
import { secureForWriting } from '../database/secured.ts';
import { requireNoStrangers } from '../database/strangers.ts';
import { findTables } from '../database/tables.ts';
import { knownTables } from '../database/trust.ts';
import { functionNamesIn } from '../revisions/effects.ts';
import { idsOf } from '../revisions/part.ts';
import { together } from '../session/client.ts';
import { RUNNER_LOCK_KEY } from '../session/runner-lock.ts';
import { Ledger } from './ledger.ts';
import type { AttemptOptions, Begun } from './result.ts';
import type { Run } from './run.ts';
import type { Statements } from './statements.ts';

/**
 * Begins the transaction of an attempt, and takes the table locks.
 *
 * @param at is called with the place that an error names from then on
 */
export async function beginTransaction(
  run: Run,
  { number, before, foreseen }: AttemptOptions,
  { statements, retiring }: { readonly statements: Statements; readonly retiring: Retiring },
  at: (place: string) => void,
): Promise<Begun> {
  await run.query('BEGIN');
  // Statements that an earlier attempt has prepared outlive its ROLLBACK.
  if (number > 1) await statements.restore();
  const [, { rows }, writtenBefore, moment] = await together(
    statements.limit(),
    // A step may give back the lock that belongs to the session; this one belongs to the transaction.
    run.query<{ id: string }>(
      'SELECT pg_catalog.pg_current_xact_id()::text AS id, pg_catalog.pg_advisory_xact_lock($1)',
      [String(RUNNER_LOCK_KEY)],
    ),
    readWrittenRows(run),
    readMoment(run),
  );
  const ledger = new Ledger(before, moment, foreseen && modesOf(foreseen));
  // Made before the locks are taken, so that no session waits for it.
  at('preparing the history');
  const heir = await secureForWriting(run, run.database);
  await retiring.begin(run);
  const paths = run.parts.map(({ script }) => script.searchPath);
  const made = functionNamesIn(run.parts.map(({ script }) => script));
  await requireNoStrangers(run, knownTables(run.database), paths, made);
  at('reading the fingerprint');
  const fingerprint = await keepFingerprint(run);
  if (run.strict) await refuseDrift(run, fingerprint);
  // Locks of these questions are no step's.
  ledger.enter(await readMoment(run), performance.now());
  const since = run.direction === 'downgrade' ? await readRunsSince(run, run.to) : [];
  const transaction = rows[0]?.id ?? '';
  at('taking the table locks');
  await lockTables(run, statements, {
    transaction,
    ledger,
    foreseen,
    retired: await retiring.tables(run),
  });
  at('asking for data that would be lost');
  await run.onceLocked?.(idsOf(run.parts));
  const atStake = await countRowsAtStake(run, foreseen ?? []);
  if (atStake.size > 0) {
    // The lock of the question is not a step's.
    ledger.enter(await readMoment(run), performance.now());
    ledger.declare();
  }
  return { transaction, ledger, writtenBefore, heir, fingerprint, since, atStake };
}

/** All in one statement, in one order, so that no step waits for a lock while it holds others. */
async function lockTables(
  run: Run,
  statements: Statements,
  {
    transaction,
    ledger,
    foreseen,
    retired,
  }: Pick<Begun, 'transaction' | 'ledger'> &
    Pick<AttemptOptions, 'foreseen'> & { readonly retired: readonly string[] },
): Promise<void> {
  const wanted = [...new Set(run.parts.flatMap(({ script }) => script.locks))];
  // An object of that name that is no table cannot be locked; the revision decides how to treat it.
  const tables = await findTables(run, [...wanted, ...retired]);
  // The header's order comes first. A table that a step locks so strongly anyway would else be waited for later.
  const names = [...new Set([...tables.map(({ sql }) => sql), ...lockedAnyway(foreseen ?? [])])];
  if (names.length === 0) return;
  await statements.lock(names, { transaction, ledger }, 'taking the table locks');
  ledger.declare();
}
