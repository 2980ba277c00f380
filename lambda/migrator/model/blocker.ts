// The facts about a session in the way that may be printed and kept: never the text of its statement.
import type { Blocker, RunReport } from './report.ts';

/** The commands of PostgreSQL. Any other first word may be anything, even a password. */
const COMMANDS: ReadonlySet<string> = new Set(
  `ABORT ALTER ANALYZE AUTOVACUUM BEGIN CALL CHECKPOINT CLOSE CLUSTER COMMENT COMMIT COPY CREATE DEALLOCATE DECLARE DELETE
   DISCARD DO DROP END EXECUTE EXPLAIN FETCH GRANT IMPORT INSERT LISTEN LOAD LOCK MERGE MOVE NOTIFY PREPARE REASSIGN
   REFRESH REINDEX RELEASE REPACK RESET REVOKE ROLLBACK SAVEPOINT SECURITY SELECT SET SHOW START TABLE TRUNCATE UNLISTEN
   UPDATE VACUUM VALUES WAIT WITH`.split(/\s+/),
);

/** White space, brackets and comments before a command. A comment that has no end takes all of the text. */
const BEFORE_COMMAND = /^(?:[\s(;]+|--[^\n]*(?:\n|$))/;

/** The first word of a statement in capitals, such as `UPDATE`; '' if it is no command of PostgreSQL. */
export function commandOf(statement: string): string {
  let rest = statement;
  for (;;) {
    const before = BEFORE_COMMAND.exec(rest)?.[0].length ?? commentLength(rest);
    if (before === 0) break;
    rest = rest.slice(before);
  }
  const word = /^[A-Za-z]+(?![\w$])/.exec(rest)?.[0].toUpperCase() ?? '';
  return COMMANDS.has(word) ? word : '';
}

/** How long the comment at the beginning is, with the comments inside it; 0 if there is none. */
function commentLength(text: string): number {
  if (!text.startsWith('/*')) return 0;
  let depth = 0;
  for (const { 0: mark, index } of text.matchAll(/\/\*|\*\//g)) {
    depth += mark === '/*' ? 1 : -1;
    if (depth === 0) return index + mark.length;
  }
  return text.length;
}

/** In characters. */
const LONGEST_APPLICATION = 64;
/** `key=value`, `user:password@`, a mail address, a URL, an option of a command line, a parameter. */
const NO_NAME = /[=@?&%'"\\]|:\/\/|^--?[A-Za-z]/;
/** Tokens and keys are long, and mix letters and digits; the groups of a UUID are shorter. */
const TOKEN = /(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z\d]{16,}/;
/** The word after one of these may be the secret itself. */
const ANNOUNCES_SECRET = /^\W*(?:pass|passwd|password|pwd|secret|token|key|auth|bearer|basic)\W*$/i;

/**
 * The name of an application as far as it looks like a name: at most 64 characters, up to the first word that has a mark of
 * `key=value`, `user:password@`, a URL or a mail address, that looks like a token, or that announces a secret.
 */
export function applicationOf(name: string): string {
  const words = name.slice(0, 2 * LONGEST_APPLICATION).split(/(?<=\s)/);
  const end = words.findIndex((word) => {
    const text = word.trim();
    return NO_NAME.test(text) || TOKEN.test(text) || ANNOUNCES_SECRET.test(text);
  });
  const kept = (end < 0 ? words : words.slice(0, end)).join('').trim();
  return kept.length > LONGEST_APPLICATION ? kept.slice(0, LONGEST_APPLICATION).trim() : kept;
}

/** A session or a prepared transaction as the server lists it. */
export interface ListedSession extends Omit<Blocker, 'command' | 'gid' | 'since' | 'relation'> {
  /** The text of its last statement, or its beginning. */
  readonly query: string;
  readonly since: string | null;
  readonly relation: string | null;
  /** The name of a prepared transaction. */
  readonly gid: string | null;
}

/** The session without the text of its statement. */
export function blockerOf({
  pid,
  user,
  application,
  state,
  since,
  relation,
  query,
  gid,
}: ListedSession): Blocker {
  return {
    pid,
    user,
    application: applicationOf(application),
    state,
    since: since ?? '',
    relation: relation ?? '',
    command: commandOf(query),
    ...(gid !== null && { gid }),
  };
}

/** A report of the history. Earlier versions kept the statements of blockers in it. */
export function withoutStatements<Report extends object>(report: Report): Report {
  const { blockers } = report as Partial<RunReport>;
  if (!Array.isArray(blockers)) return report;
  return { ...report, blockers: blockers.map(remembered) };
}

/** The known fields of a blocker, which any version may have written. */
function remembered(blocker: Partial<Blocker>): Blocker {
  const { pid, user, application, state, since, relation, command, gid } = blocker;
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  return {
    pid: Number(pid ?? 0),
    user: text(user),
    application: applicationOf(text(application)),
    state: text(state),
    since: text(since),
    relation: text(relation),
    command: commandOf(text(command)),
    ...(typeof gid === 'string' && { gid }),
  };
}
