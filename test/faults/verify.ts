// Judges a case: the database is whole, the run has left no session and no lock, and its report is true.
import { isDeepStrictEqual } from 'node:util';
import type pg from 'pg';
import { ENDINGS, type EndingPromise } from '../../lambda/migrator/model/errors.ts';
import type { FaultCase } from './cases.ts';
import type { CaseDatabase, Script } from './databases.ts';
import type { Told } from './runners.ts';
import { type Fingerprint, readFingerprint } from './states.ts';

/** Ways in which a case can be wrong; the tally counts each. */
export const WRONGS = ['half applied', 'wrong report', 'left behind', 'hung'] as const;

class WrongResult extends Error {
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
  // In a blackout the server notices only by its keepalives that the client is gone.
  if (fault.fault !== 'blackout') await expectNothingLeft(database);
  const committed = isCommitted(await readFingerprint(database.reader), script);
  const remembered = await readOutcomes(database.reader);
  const lie = findLie(fault, told, script, committed) ?? findFalseMemory(told, script, committed, remembered);
  if (lie)
    throw new WrongResult(
      'wrong report',
      `${lie}; reported ${JSON.stringify(told)}, remembered ${remembered}`,
    );
  return committed;
}

/** The time in which the server must end the sessions of a run, in ms; a busy machine is slow. */
const FORGOTTEN_AFTER_MS = 30_000;

/** Expects no session of the run, and no lock of any session. */
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

/** Throws WrongResult if the database is neither as before the run nor as after it. */
export function isCommitted(now: Fingerprint, { start, end }: Script): boolean {
  if (isDeepStrictEqual(now, end)) return true;
  if (isDeepStrictEqual(now, start)) return false;
  throw new WrongResult(
    'half applied',
    `neither ${start.version} nor ${end.version}: ${JSON.stringify(now)}`,
  );
}

/** Describes the false part of a report; undefined if the report is true. */
function findLie(fault: FaultCase, told: Told, script: Script, committed: boolean): string | undefined {
  if (told === 'nothing') return findDeadRunnersLie(fault, script, committed);
  if (typeof told === 'string') return 'no ending';
  if ('stranger' in told) return 'an error that Backstop does not name';
  if ('outcome' in told) {
    return committed && told.outcome === script.outcome ? undefined : 'a false success';
  }
  return findFalseError(fault, told.error, committed);
}

function findDeadRunnersLie(fault: FaultCase, script: Script, committed: boolean): string | undefined {
  if (committed === commits(fault, script)) return undefined;
  return `the dead runner has ${committed ? '' : 'not '}committed`;
}

function findFalseError(fault: FaultCase, error: string, committed: boolean): string | undefined {
  const promise = (ENDINGS as Readonly<Record<string, EndingPromise>>)[error]?.database;
  if (promise === 'unchanged') return committed ? 'a false failure' : undefined;
  // A runner that can reach the server must report a certain ending.
  return promise === 'needs a person' && fault.fault === 'blackout' ? undefined : `the ending ${error}`;
}

/** Whether a killed runner has sent COMMIT. */
function commits({ at, meeting }: FaultCase, { statements }: Script): boolean {
  const commit = statements.indexOf('COMMIT');
  return at > commit || (at === commit && meeting !== 'before');
}

/** The wrong entry of the history, if it has one. */
function findFalseMemory(
  told: Told,
  { outcome }: Script,
  committed: boolean,
  remembered: readonly string[],
): string | undefined {
  if (committed) return `${remembered}` === outcome ? undefined : 'the history has another outcome';
  // The history has no failure if it could not be written.
  const failure = typeof told === 'object' && 'error' in told ? told.error : undefined;
  return remembered.every((name) => name === failure) ? undefined : 'the history has another failure';
}

/** The outcomes of all runs in the history. */
export async function readOutcomes(client: pg.Client): Promise<string[]> {
  const { rows: tables } = await client.query("SELECT to_regclass('backstop.history') AS oid");
  if (tables[0]?.oid === null) return [];
  const { rows } = await client.query<{ outcome: string }>(
    'SELECT outcome FROM backstop.history ORDER BY id',
  );
  return rows.map(({ outcome }) => outcome);
}
