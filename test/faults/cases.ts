// The matrix: every verb, every statement that it sends, every moment of it, every fault. A case is data.

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
  /** Whether the command line runs it in a process of its own; else the engine runs in this one. */
  readonly inProcess: boolean;
}

/**
 * When each fault can meet a statement. What comes from the server, or kills the runner, meets the server at work; what
 * comes from the network meets the answer. A killed runner does not know whether it was about to send the next one.
 */
const MEETINGS: Readonly<Record<Exclude<Fault, 'blackout' | 'restart'>, readonly Meeting[]>> = {
  kill: ['carried out', 'after'],
  terminate: ['before', 'carried out', 'after'],
  cancel: ['before', 'carried out', 'after'],
  cut: ['before', 'unanswered', 'after'],
  'half-open': ['before', 'unanswered', 'after'],
};

/** All cases of a verb. */
export function casesOf(verb: VerbName, script: Script): FaultCase[] {
  return [...statementCases(verb, script), ...blackouts(verb, script)];
}

function statementCases(verb: VerbName, { statements }: Script): FaultCase[] {
  const faults = Object.entries(MEETINGS) as [Fault, readonly Meeting[]][];
  return statements.flatMap((text, at) =>
    faults.flatMap(([fault, meetings]) =>
      (text === CONNECT ? meetingsOfConnect(fault) : meetings).map((meeting) => ({
        verb,
        at,
        meeting: possible(text, fault, meeting),
        fault,
        // A process that lives on must tell the truth, too; around COMMIT it is most at stake.
        inProcess: fault === 'kill' || (fault === 'cut' && text === 'COMMIT'),
      })),
    ),
  );
}

/** A session that is only being opened has no backend that could be named, and no answer that could be held back. */
function meetingsOfConnect(fault: Fault): readonly Meeting[] {
  return fault === 'cut' || fault === 'half-open' ? ['before'] : [];
}

/** The server lets nobody cancel a COMMIT that it has carried out. */
function possible(text: string, fault: Fault, meeting: Meeting): Meeting {
  return text === 'COMMIT' && fault === 'cancel' && meeting === 'carried out' ? 'begun' : meeting;
}

/** The whole network goes: after BEGIN, and around COMMIT. */
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
