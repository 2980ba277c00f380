// The script that `--sql` prints: a run as one SQL transaction, for a person to read and for psql to run.
//
// It is plain SQL without psql's own commands, so that any client can run it.
import pg from 'pg';
import { DROP_RETIRING, MAKE_RETIRING } from './database/retiring/script.ts';
import { guardsOf } from './database/script-guards.ts';
import { CREATE_VERSION_TABLE, versionStatement } from './database/version-table.ts';
import { BackstopError } from './model/errors.ts';
import { formatLocation } from './model/location.ts';
import { BASE, type Plan, type RevisionId } from './model/report.ts';
import { type Chain, revisionOf } from './revisions/chain.ts';
import { byTransaction, idsOf, type Part, partOf, revisionsBetween } from './revisions/part.ts';
import type { Revision, Step } from './revisions/revision.ts';
import { pathValue } from './revisions/search-path.ts';
import { BEGIN, COMMIT, RESTORE } from './session/script-frame.ts';

/**
 * The script of an upgrade or downgrade. It brings a database that is at `from` to the schema and the version that
 * an online run brings it to, or leaves it as it was. If `from` equals `to`, it is a comment that says so.
 *
 * @throws UnknownRevision, InvalidInput if `to` lies in the other direction
 */
export function offlineSql(
  chain: Chain,
  direction: Plan['direction'],
  from: RevisionId,
  to: RevisionId,
): string {
  const parts = partsBetween(chain, direction, from, to).map(({ id }) => partOf(chain, direction, id));
  if (parts.length === 0) return `${comment(`From ${from} to ${to} there is nothing to ${direction}.`)}\n`;
  const paragraphs = [
    header(chain, direction, from, to, parts),
    ...byTransaction(parts).flatMap((transaction) => runInTransaction(chain, transaction, direction, to)),
  ];
  return `${paragraphs.join('\n\n')}\n`;
}

function runInTransaction(
  chain: Chain,
  parts: readonly Part[],
  direction: Plan['direction'],
  target: RevisionId,
): string[] {
  const begin = parts[0]?.from ?? target;
  const isRetiring = parts.some(({ script }) => script.isRetiring);
  return [
    BEGIN,
    ...guardsOf(chain, parts),
    requireVersion(direction, begin, target),
    ...lockTables(parts),
    ...(isRetiring ? [MAKE_RETIRING] : []),
    ...parts.flatMap(runPart),
    ...(isRetiring ? [DROP_RETIRING] : []),
    COMMIT,
  ];
}

function partsBetween(
  chain: Chain,
  direction: Plan['direction'],
  from: RevisionId,
  to: RevisionId,
): readonly Revision[] {
  const revisions = revisionsBetween(chain, direction, from, to);
  if (revisions) return revisions;
  const upgrading = direction === 'upgrade';
  throw new BackstopError('InvalidInput', {
    message: `${to} is not ${upgrading ? 'ahead of' : 'behind'} ${from}`,
    hint: `To go there: npx backstop ${upgrading ? 'downgrade' : 'upgrade'} ${from}:${to} --sql`,
  });
}

function header(
  chain: Chain,
  direction: Plan['direction'],
  from: RevisionId,
  to: RevisionId,
  parts: readonly Part[],
): string {
  const revisions = parts
    .map(({ revision }) => revisionOf(chain, revision))
    .flatMap(({ id, title, checksum }) => [
      `  ${id}  ${title}`,
      `  ${' '.repeat(id.length)}  SHA-256 of its upgrade.sql: ${checksum}`,
    ]);
  const lines = [
    `${direction === 'upgrade' ? 'Upgrade' : 'Downgrade'} from ${from} to ${to}`,
    '',
    ...revisions,
    '',
    'Run it as the owner of the tables:  psql -X -v ON_ERROR_STOP=1 -f FILE',
    `Prove the result:                   npx backstop check after-${direction}`,
    '',
    ...describeCommit(byTransaction(parts)),
    '',
    'An online run does what this script does not: it runs the checks, tries again where a lock is not granted, and',
    'writes to backstop.history.',
  ];
  return lines.map(comment).join('\n');
}

function describeCommit(transactions: readonly (readonly Part[])[]): string[] {
  const atomic =
    transactions.length === 1
      ? 'All of it is one transaction: if anything fails, nothing is committed.'
      : `It has ${transactions.length} transactions (${transactions.map((parts) => idsOf(parts).join(', ')).join(' | ')}): if one fails, the ones before it stay.`;
  return [
    atomic,
    'That holds for other clients too, and for psql without ON_ERROR_STOP, which then goes on to the end and exits with',
    '0: the server refuses every statement after the failed statement, and turns COMMIT into ROLLBACK.',
  ];
}

function requireVersion(direction: Plan['direction'], from: RevisionId, to: RevisionId): string {
  return `${comment(`The database must be at ${from}.`)}
DO $do$
DECLARE
  current_version text;
BEGIN
  IF to_regclass('public.alembic_version') IS NOT NULL THEN
    SELECT string_agg(version_num, ', ' ORDER BY version_num) INTO current_version FROM public.alembic_version;
  END IF;
  IF current_version IS DISTINCT FROM ${from === BASE ? 'NULL' : pg.escapeLiteral(from)} THEN
    RAISE EXCEPTION USING
      ERRCODE = 'object_not_in_prerequisite_state',
      MESSAGE = ${pg.escapeLiteral(`The database is not at ${from}, where this script begins`)},
      DETAIL = format('public.alembic_version holds %s.', coalesce(current_version, 'no revision')),
      HINT = ${pg.escapeLiteral(`Nothing was changed. Print the script from where the database is: npx backstop ${direction} REVISION:${to} --sql`)};
  END IF;
END
$do$;`;
}

/** The locks of all revisions, in the order in which an online run takes them; empty if no revision needs a lock. */
function lockTables(parts: readonly Part[]): string[] {
  const wanted = [...new Set(parts.flatMap(({ script }) => script.locks))];
  if (wanted.length === 0) return [];
  return [
    `-- All tables that are there are locked at once, so that no step waits for a lock while it holds others.
DO $do$
DECLARE
  tables text;
BEGIN
  SELECT string_agg(oid::regclass::text, ', ' ORDER BY place) INTO tables
  FROM unnest(ARRAY[
    ${wanted.map((name) => pg.escapeLiteral(name)).join(',\n    ')}
  ]) WITH ORDINALITY AS wanted (name, place)
  JOIN pg_class ON oid = to_regclass(name) AND relkind IN ('r', 'p');
  IF tables IS NOT NULL THEN
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', tables);
  END IF;
END
$do$;`,
  ];
}

function runPart(part: Part): string[] {
  const { direction } = part;
  const [from, to] = [part.from, part.to].map((id) => (id === BASE ? '' : id));
  return [
    comment(`Running ${direction} ${from} -> ${to}`),
    ...(part.script.steps.length === 0
      ? [comment('none: its file holds no SQL')]
      : [
          ...(part.script.isRetiring
            ? [`SET LOCAL backstop.revision = ${pg.escapeLiteral(part.revision)};`]
            : []),
          `SET LOCAL search_path TO ${pathValue(part.script.searchPath)};`,
        ]),
    ...part.script.steps.map(writeStep),
    RESTORE,
    ...moveVersion(part),
  ];
}

const NOT_ASCII = /\P{ASCII}/u;

/** Below the title a comment says where the next line of the script comes from. */
function writeStep(step: Step): string {
  const { title, sql, origin } = step;
  const from = origin ? `${comment(`from ${formatLocation({ ...origin, column: undefined })}`)}\n` : '';
  // A step before it may have set another encoding; this script has one.
  const encoding = NOT_ASCII.test(sql) ? "SET LOCAL client_encoding = 'UTF8';\n" : '';
  return `${comment(`step: ${title}`)}\n${encoding}${from}${isTerminated(step) ? sql : `${sql}\n;`}`;
}

/** Whether the next line begins a new statement. */
function isTerminated({ sql, origin, statements = [] }: Step): boolean {
  const last = statements.at(-1);
  return last !== undefined && sql[last.end - (origin?.offset ?? 0)] === ';';
}

function moveVersion({ revision, from, to }: Part): string[] {
  const move = `${comment(`version: ${from} -> ${to}, exactly one row`)}
DO $do$
DECLARE
  touched bigint;
BEGIN
  ${versionStatement(from, to)};
  GET DIAGNOSTICS touched = ROW_COUNT;
  IF touched <> 1 THEN
    RAISE EXCEPTION USING
      ERRCODE = 'serialization_failure',
      MESSAGE = ${pg.escapeLiteral(`The version of the database changed while ${revision} ran`)},
      DETAIL = ${pg.escapeLiteral(`It was ${from} at the start; rows of public.alembic_version that matched at the end: `)} || touched,
      HINT = 'Another tool wrote it at the same time. Nothing was changed: run again.';
  END IF;
END
$do$;`;
  return from === BASE ? [`-- version: the table of Alembic\n${CREATE_VERSION_TABLE};`, move] : [move];
}

/** One comment line, whatever the text holds. */
function comment(text: string): string {
  return `-- ${text.replaceAll('\r', ' ')}`.trimEnd();
}
