// The message about an ended execution, for a person at night: the state of the database, and the next steps.
import { executionLink } from './aws/console.ts';
import type { Notification } from './aws/topic.ts';
import type { Past } from './look-back.ts';
import { cut } from './migrator/model/bounded.ts';
import { type DatabaseState, isEndingName } from './migrator/model/errors.ts';
import { printable, printableLines } from './migrator/model/printable.ts';
import { promiseOf } from './promises.ts';
import type { Action, Execution, Summary } from './state.ts';

export interface Circumstances {
  readonly execution: Execution;
  /** ISO 8601. */
  readonly endedAt: string;
  readonly past: Past;
  /** Names of the endings that the deployed revisions declare. */
  readonly refusals: readonly string[];
}

/** SNS refuses a longer one. */
const LONGEST_SUBJECT = 99;
/** In characters. SNS takes 256 KiB, and a character has four bytes at most; Step Functions keeps 32 KiB of a cause. */
const LONGEST_MESSAGE = 60_000;

interface Promised {
  readonly database: DatabaseState | 'as asked';
  readonly meaning: string;
}

const AS_ASKED: Promised = { database: 'as asked', meaning: 'It did what the input requested.' };

const ONLY_LOOKED: Promised = {
  database: 'unchanged',
  meaning: 'It only read the database, which changes nothing.',
};

const IN_WORDS: Readonly<Record<Promised['database'], string>> = {
  'as asked': 'as requested',
  unchanged: 'unchanged by the failed step',
  downgraded: 'downgraded to where it was before this execution',
  'at target': 'at the target and valid; something is left to do',
  'needs a person': 'NEEDS A PERSON',
};

/** The certain part: an execution that only read has changed nothing, whatever its ending promises. */
function promisedBy({ ending, action }: Summary, refusals: readonly string[]): Promised {
  if (ending === 'Succeeded') return AS_ASKED;
  const promised = promiseOf(ending, refusals);
  const onlyLooked = promised.database === 'needs a person' && (action === 'status' || action === 'plan');
  return onlyLooked ? ONLY_LOOKED : promised;
}

/** The message, and the attributes by which a subscriber can filter. */
export function notificationOf(summary: Summary, circumstances: Circumstances): Notification {
  const { ending, database, message } = summary;
  const promised = promisedBy(summary, circumstances.refusals);
  const paragraphs = [
    facts(summary, promised, circumstances),
    printableLines(message),
    remedy(summary, promised),
    describeUnread(circumstances.past),
  ];
  return {
    subject: asSubject(`Backstop: ${ending} ${database ?? ''}`),
    message: shorten(paragraphs.filter(Boolean).join('\n\n')),
    attributes: { ending, database: database ?? 'unknown' },
  };
}

function facts(summary: Summary, promised: Promised, { execution, endedAt, past }: Circumstances): string {
  const { ending, action, database, revisionBefore, revisionAfter, snapshot } = summary;
  const needsPerson = promised.database === 'needs a person';
  const after = revisionAfter ?? `unknown: start an execution with ${input('status', summary)}`;
  const rows: readonly (readonly [string, string | false | null | undefined])[] = [
    ['Ending', action ? `${ending} (${action})` : ending],
    ['', promised.meaning],
    ['', isEndingName(ending) && `docs/endings.md#${ending.toLowerCase()}`],
    ['Database', `${database ?? 'unknown'}, ${IN_WORDS[promised.database]}`],
    ['Revision', `before: ${revisionBefore ?? 'unknown'}`],
    ['', `now: ${after}`],
    ['Snapshot', snapshot ?? (past.document.request ? 'none taken' : 'unknown')],
    ['Restore', needsPerson && past.document.snapshot?.restore],
    ['Finalize', describeFinalize(summary)],
    ['Execution', `${execution.name}, from ${execution.startedAt} to ${endedAt}`],
    ['', executionLink(execution.arn)],
  ];
  return rows
    .filter(([, value]) => value)
    .map(([label, value]) => printable(`${label.padEnd(12)}${value}`))
    .join('\n');
}

function describeFinalize({ finalizePending, finalizeAt }: Summary): string {
  if (finalizePending.length === 0) return '';
  return `pending for ${finalizePending.join(', ')}, ${finalizeAt ? `at ${finalizeAt}` : 'not scheduled'}`;
}

/** What to do next, unless the sentence of the ending says it itself. */
function remedy(summary: Summary, { database }: Promised): string {
  if (summary.message.includes('HINT:')) return '';
  switch (database) {
    case 'as asked':
      return '';
    case 'unchanged':
    case 'downgraded':
      return 'What to do: correct the cause, then start a new execution.';
    case 'at target':
      return `What to do: start an execution with ${input('finalize', summary)}.`;
    case 'needs a person':
      return [
        'What to do:',
        '1. Wait until 15 minutes have passed since its end: a function may still be at work, but none for longer.',
        `2. Start an execution with ${input('status', summary)}. It changes nothing, and says where the database is`,
        '   and whether its checks hold.',
        '3. If it is where it was, start a new execution. If it is at the target and valid, all is well.',
        '4. If it is neither, see docs/runbook.md. A restore makes a new instance beside the old one, with the rows of the snapshot.',
      ].join('\n');
  }
}

/** An input of the state machine that names the database, which need not be the default. */
function input(action: Action, { database }: Summary): string {
  return JSON.stringify({ action, ...(database && { database }) });
}

function describeUnread({ unread }: Past): string {
  return unread.length === 0
    ? ''
    : `Not all of this execution could be read:\n${unread.map(printable).join('\n')}`;
}

/** A subject that SNS accepts: one line of printable ASCII. */
function asSubject(text: string): string {
  return text
    .replace(/[^ -~]/g, '?')
    .slice(0, LONGEST_SUBJECT)
    .trim();
}

function shorten(text: string): string {
  return text.length > LONGEST_MESSAGE ? `${cut(text, LONGEST_MESSAGE)} (the execution has all of it)` : text;
}
