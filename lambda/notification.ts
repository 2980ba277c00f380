// The message that tells of an ended execution, for a person at night: what is in the database, and what to do next.
import { executionLink } from './aws/console.ts';
import type { Notification } from './aws/topic.ts';
import type { Past } from './look-back.ts';
import { type DatabaseState, ENDINGS } from './migrator/model/errors.ts';
import type { Action, Execution, Summary } from './state.ts';

export interface Circumstances {
  readonly execution: Execution;
  /** ISO 8601. */
  readonly endedAt: string;
  readonly past: Past;
}

/** SNS refuses a longer one. */
const LONGEST_SUBJECT = 99;
/** In characters. SNS takes 256 KiB, and a character has four bytes at most; Step Functions keeps 32 KiB of a cause. */
const LONGEST_MESSAGE = 60_000;

const NOTHING_CHANGED: Standing = {
  database: 'unchanged',
  meaning: 'It was only to look, and that changes nothing.',
};

const NOBODY_KNOWS: Standing = {
  database: 'needs a person',
  meaning: 'It was ended from outside, and nobody knows how far it came.',
};

interface Standing {
  readonly database: DatabaseState | 'as asked';
  readonly meaning: string;
}

/** What each ending promises. */
const PROMISES: Readonly<Record<Summary['ending'], Standing>> = {
  Succeeded: { database: 'as asked', meaning: 'It has done what it was asked for.' },
  ...ENDINGS,
  TimedOut: NOBODY_KNOWS,
  Aborted: NOBODY_KNOWS,
};

const IN_WORDS: Readonly<Record<Standing['database'], string>> = {
  'as asked': 'as it was asked to be',
  unchanged: 'unchanged by what failed',
  downgraded: 'as it was before this execution',
  'at target': 'at the target and valid; something is left to do',
  'needs a person': 'NEEDS A PERSON',
};

/** What is certain of the database: more than the ending promises where the execution was not to change anything. */
function standingOf({ ending, action }: Summary): Standing {
  const isGrave = PROMISES[ending].database === 'needs a person';
  return isGrave && (action === 'status' || action === 'plan') ? NOTHING_CHANGED : PROMISES[ending];
}

/** The message, and by what a subscriber can choose. */
export function notificationOf(summary: Summary, circumstances: Circumstances): Notification {
  const { ending, database, message } = summary;
  const paragraphs = [
    facts(summary, circumstances),
    message,
    remedy(summary),
    describeUnread(circumstances.past),
  ];
  return {
    subject: asSubject(`Backstop: ${ending} ${database ?? ''}`),
    message: shorten(paragraphs.filter(Boolean).join('\n\n')),
    attributes: { ending, database: database ?? 'unknown' },
  };
}

function facts(summary: Summary, { execution, endedAt, past }: Circumstances): string {
  const { ending, action, database, revisionBefore, revisionAfter, snapshot } = summary;
  const { database: standing, meaning } = standingOf(summary);
  const restore = standing === 'needs a person' && snapshot && past.document.snapshot?.restoreCommand;
  const after = revisionAfter ?? `unknown: start an execution with ${input('status', summary)}`;
  const rows: readonly (readonly [string, string | false | null | undefined])[] = [
    ['Ending', action ? `${ending} (${action})` : ending],
    ['', meaning],
    ['Database', `${database ?? 'unknown'}, ${IN_WORDS[standing]}`],
    ['Revision', `before: ${revisionBefore ?? 'unknown'}`],
    ['', `now: ${after}`],
    ['Snapshot', snapshot ?? (past.document.request ? 'none taken' : 'unknown')],
    ['To restore', restore],
    ['Finalize', describeFinalize(summary)],
    ['Execution', `${execution.name}, from ${execution.startedAt} to ${endedAt}`],
    ['', executionLink(execution.arn)],
  ];
  return rows
    .filter(([, value]) => value)
    .map(([label, value]) => `${label.padEnd(12)}${value}`)
    .join('\n');
}

function describeFinalize({ finalizePending, finalizeAt }: Summary): string {
  if (finalizePending.length === 0) return '';
  return `pending for ${finalizePending.join(', ')}, ${finalizeAt ? `at ${finalizeAt}` : 'not scheduled'}`;
}

/** What to do next, unless the sentence of the ending says it itself. */
function remedy(summary: Summary): string {
  if (summary.message.includes('HINT:')) return '';
  switch (standingOf(summary).database) {
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
        '4. If it is neither, see docs/runbook.md. A restore makes a new instance beside the old one, with the rows of then.',
      ].join('\n');
  }
}

/** An input of the state machine that names the database, which need not be the default. */
function input(action: Action, { database }: Summary): string {
  return JSON.stringify({ action, ...(database && { database }) });
}

function describeUnread({ unread }: Past): string {
  return unread.length === 0 ? '' : `Not all of this execution could be read:\n${unread.join('\n')}`;
}

/** What SNS takes: one line of printable ASCII. */
function asSubject(text: string): string {
  return text
    .replace(/[^ -~]/g, '?')
    .slice(0, LONGEST_SUBJECT)
    .trim();
}

function shorten(text: string): string {
  return text.length > LONGEST_MESSAGE
    ? `${text.slice(0, LONGEST_MESSAGE)}… (the execution has all of it)`
    : text;
}
