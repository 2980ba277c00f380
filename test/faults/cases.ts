// The matrix: every verb, every statement, every moment, every fault. A case is data.

import type { Script } from './databases.ts';
import type { Meeting } from './network.ts';
import type { VerbName } from './verbs.ts';
import { CONNECT } from './wire.ts';

export type Fault = 'kill' | 'terminate' | 'cancel' | 'cut' | 'half-open' | 'blackout' | 'restart';

export interface FaultCase {
  readonly verb: VerbName;
  /** Number of the statement; 0 is the start of the session. */
  readonly at: number;
  readonly meeting: Meeting;
  readonly fault: Fault;
  /** Whether the command line runs it in a separate process; otherwise the engine runs in this process. */
  readonly inProcess: boolean;
}

/**
 * The moments of a statement at which each fault can happen. A kill and the faults of the server happen while the server
 * works; the faults of the network happen to the answer. A fault after one statement is also the fault before the next;
 * only for COMMIT both are tried.
 */
const MEETINGS: Readonly<Record<Exclude<Fault, 'blackout' | 'restart'>, readonly Meeting[]>> = {
  kill: ['carried out', 'after'],
  terminate: ['carried out', 'after'],
  cancel: ['carried out', 'after'],
  cut: ['unanswered', 'after'],
  'half-open': ['unanswered', 'after'],
};

function meetingsOf(text: string, fault: Fault, meetings: readonly Meeting[]): readonly Meeting[] {
  // A session that is being opened has no known pid, and its answer cannot be held back.
  if (text === CONNECT) return fault === 'cut' || fault === 'half-open' ? ['before'] : [];
  return text === 'COMMIT' && fault !== 'kill' ? ['before', ...meetings] : meetings;
}

/** All cases of a verb. */
export function casesOf(verb: VerbName, script: Script): FaultCase[] {
  return [...statementCases(verb, script), ...blackouts(verb, script)];
}

function statementCases(verb: VerbName, { statements }: Script): FaultCase[] {
  const faults = Object.entries(MEETINGS) as [Fault, readonly Meeting[]][];
  return statements.flatMap((text, at) =>
    faults.flatMap(([fault, meetings]) =>
      meetingsOf(text, fault, meetings).map((meeting) => ({
        verb,
        at,
        meeting: possible(text, fault, meeting),
        fault,
        // The command line must also report the truth; a false report about COMMIT is the worst.
        inProcess: fault === 'kill' || (fault === 'cut' && text === 'COMMIT'),
      })),
    ),
  );
}

/** A COMMIT that the server has carried out cannot be canceled. */
function possible(text: string, fault: Fault, meeting: Meeting): Meeting {
  return text === 'COMMIT' && fault === 'cancel' && meeting === 'carried out' ? 'begun' : meeting;
}

/** The whole network fails: after BEGIN, and around COMMIT. */
function blackouts(verb: VerbName, { statements }: Script): FaultCase[] {
  const begin = statements.lastIndexOf('BEGIN');
  const commit = statements.indexOf('COMMIT');
  const moments: [at: number, Meeting][] = [
    [begin, 'after'],
    [commit, 'before'],
    [commit, 'unanswered'],
    [commit, 'after'],
  ];
  return moments.map(([at, meeting]) => ({ verb, at, meeting, fault: 'blackout', inProcess: false }));
}
