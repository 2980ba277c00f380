// The judgement of a case: is the database whole, is nothing of the run left, and is what was told the truth.
import { isDeepStrictEqual } from 'node:util';
import type pg from 'pg';
import { ENDINGS, type EndingPromise } from '../../lambda/migrator/model/errors.ts';
import type { FaultCase } from './cases.ts';
import type { CaseDatabase, Script } from './databases.ts';
import type { Told } from './runners.ts';
import { type Fingerprint, readFingerprint } from './states.ts';

/** What can be wrong with a case; the tally counts by these words. */
export const WRONGS = ['half applied', 'wrong report', 'left behind', 'hung'] as const;

export class WrongResult extends Error {
  constructor(wrong: (typeof WRONGS)[number], text: string) {
    super(`${wrong}: ${text}`);
  }
}

/**
 * Returns whether the run was committed.
 *
 * @throws WrongResult
 */
export async function verify(
  fault: FaultCase,
  told: Told,
  script: Script,
  database: CaseDatabase,
): Promise<boolean> {
  if (told === 'still waiting') throw new WrongResult('hung', 'no bound has ended the run');
  // Where the whole network is gone, the server can learn of it from its keepalives alone.
  if (fault.fault !== 'blackout') await expectNothingLeft(database);
  const committed = isCommitted(await readFingerprint(database.reader), script);
  const remembered = await readOutcomes(database.reader);
  const lie = findLie(fault, told, script, committed) ?? findFalseMemory(told, script, committed, remembered);
  if (lie)
    throw new WrongResult('wrong report', `${lie}; told ${JSON.stringify(told)}, remembered ${remembered}`);
  return committed;
}

/** How long the server of a busy machine may take to end the sessions of a run, in ms. */
const FORGOTTEN_AFTER_MS = 30_000;

/** No session of the run, and no lock of anybody. */
export async function expectNothingLeft({ administrator, settings }: CaseDatabase): Promise<void> {
  const giveUpAt = performance.now() + FORGOTTEN_AFTER_MS;
  for (;;) {
    const { rows } = await administrator.query(
      `SELECT application_name, state, wait_event, left(query, 80) AS query FROM pg_stat_activity
       WHERE datname = $1 AND application_name LIKE 'backstop%'
       UNION ALL
       SELECT locktype, mode, NULL, NULL FROM pg_locks JOIN pg_database AS d ON d.oid = database WHERE datname = $1`,
      [settings.database],
    );
    if (rows.length === 0) return;
    if (performance.now() > giveUpAt) throw new WrongResult('left behind', JSON.stringify(rows));
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Throws WrongResult where the database is neither as before the run nor as after it. */
export function isCommitted(now: Fingerprint, { start, end }: Script): boolean {
  if (isDeepStrictEqual(now, end)) return true;
  if (isDeepStrictEqual(now, start)) return false;
  throw new WrongResult(
    'half applied',
    `neither ${start.version} nor ${end.version}: ${JSON.stringify(now)}`,
  );
}

/** What was told and is not true; undefined where all is. */
function findLie(fault: FaultCase, told: Told, script: Script, committed: boolean): string | undefined {
  if (told === 'nothing') {
    return committed === commits(fault, script)
      ? undefined
      : `the dead runner has ${committed ? '' : 'not '}committed`;
  }
  if (typeof told === 'string') return 'no ending';
  if ('stranger' in told) return 'no ending of ours';
  if ('outcome' in told) {
    return committed && told.outcome === script.outcome ? undefined : 'a success that is none';
  }
  const promise = (ENDINGS as Readonly<Record<string, EndingPromise>>)[told.error]?.database;
  if (promise === 'unchanged') return committed ? 'a failure that is none' : undefined;
  // In every other case the server can be asked.
  return promise === 'needs a person' && fault.fault === 'blackout' ? undefined : `the ending ${told.error}`;
}

/** Whether a runner that is killed has got as far as COMMIT. */
function commits({ at, meeting }: FaultCase, { statements }: Script): boolean {
  const commit = statements.indexOf('COMMIT');
  return at > commit || (at === commit && meeting !== 'before');
}

/** What the database remembers of the run and is not true. */
function findFalseMemory(
  told: Told,
  { outcome }: Script,
  committed: boolean,
  remembered: readonly string[],
): string | undefined {
  if (committed) return `${remembered}` === outcome ? undefined : 'the history knows another outcome';
  // A failure that could not be written stays unwritten.
  const failure = typeof told === 'object' && 'error' in told ? told.error : undefined;
  return remembered.every((name) => name === failure) ? undefined : 'the history knows another failure';
}

/** What the history says of all runs. */
export async function readOutcomes(client: pg.Client): Promise<string[]> {
  const { rows: tables } = await client.query("SELECT to_regclass('backstop.history') AS oid");
  if (tables[0]?.oid === null) return [];
  const { rows } = await client.query<{ outcome: string }>(
    'SELECT outcome FROM backstop.history ORDER BY id',
  );
  return rows.map(({ outcome }) => outcome);
}
