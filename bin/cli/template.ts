// The files of a new revision, which run as they are; their comments say what to write.
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { BackstopError } from '../../lambda/migrator/model/errors.ts';
import { BASE, type RevisionId } from '../../lambda/migrator/model/report.ts';
import type { DatabaseDefinition } from '../../lambda/migrator/revisions/databases.ts';
import { KEYS } from '../../lambda/migrator/revisions/header.ts';
import { isNear } from '../../lambda/migrator/revisions/near.ts';

export interface Draft {
  readonly id: RevisionId;
  readonly message: string;
  readonly definition: DatabaseDefinition;
  /** Undefined for the first revision of its database. */
  readonly revises: RevisionId | undefined;
}

/** Alembic's limit: longer names are cut. */
const SLUG_LENGTH = 40;

/**
 * The number after the highest of all databases of a system, so that no two of them share a number by accident. As
 * Alembic does, 12 hexadecimal digits where the chain is not numbered.
 *
 * @param ids all ids of the system; only decimal numbers count
 * @param head of the chain; undefined if there is no revision yet
 */
export function nextId(ids: readonly RevisionId[], head: RevisionId | undefined): RevisionId {
  if (head !== undefined && !DECIMAL.test(head)) return randomId();
  const numbers = ids.filter((id) => DECIMAL.test(id));
  const highest = numbers.reduce((one, other) => (BigInt(other) > BigInt(one) ? other : one), '000');
  return String(BigInt(highest) + 1n).padStart(highest.length, '0');
}

const DECIMAL = /^[0-9]+$/;

/** With a letter in it, so that it is never taken for a number. */
function randomId(): RevisionId {
  for (;;) {
    const id = randomBytes(6).toString('hex');
    if (!DECIMAL.test(id)) return id;
  }
}

/**
 * Writes the folder, whole or not at all.
 *
 * @returns its path from where the command runs
 * @throws InvalidInput if no name can be made of the message, or it would be read as a line of the header;
 *   ConfigurationError if the folder cannot be written
 */
export function writeRevision(migrations: string, draft: Draft): string {
  const slug = slugOf(draft.message);
  if (slug === '') {
    throw new BackstopError('InvalidInput', {
      message: 'The message is missing, or has no letter or digit',
      hint: 'Say what the revision does: npx backstop revision -m "add new feature"',
    });
  }
  if (isReadAsHeader(titleOf(draft.message))) {
    throw new BackstopError('InvalidInput', {
      message: 'The message would be read as a line of the header',
      hint: 'Begin it with another word.',
    });
  }
  const name = draft.id.replace(/[^\p{L}\p{N}.-]+/gu, '_');
  const folder = join(migrations, draft.definition.folder, `${name}_${slug}`);
  try {
    writeWhole(migrations, folder, filesOf(draft));
  } catch (cause) {
    throw new BackstopError(
      'ConfigurationError',
      {
        message: 'The folder of the revision cannot be written',
        detail: (cause as Error).message,
        hint: 'Make its parent folder writable, and run again.',
      },
      { cause },
    );
  }
  return relative(process.cwd(), folder);
}

/** The title is the first line of upgrade.sql: it must be read neither as a key of the header nor as a directive. */
function isReadAsHeader(title: string): boolean {
  const [, word] = /^([a-z]+(?:[ _-][a-z]+){0,2})\s*:/i.exec(title) ?? [];
  return word !== undefined && [...KEYS, 'step', 'check', 'gather'].some((known) => isNear(known, word));
}

/** Writes elsewhere and moves the folder, so that half of it is never read. */
function writeWhole(migrations: string, folder: string, files: Readonly<Record<string, string>>): void {
  const workplace = mkdtempSync(join(migrations, '.revision-'));
  // A subfolder, because mkdtemp makes its folder readable for its owner only.
  const unfinished = join(workplace, 'revision');
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(unfinished, path)), { recursive: true });
      writeFileSync(join(unfinished, path), text);
    }
    mkdirSync(dirname(folder), { recursive: true });
    renameSync(unfinished, folder);
  } finally {
    rmSync(workplace, { recursive: true, force: true });
  }
}

/** One line without control characters. */
function titleOf(message: string): string {
  return message.replace(/[\s\p{Cc}]+/gu, ' ').trim();
}

function slugOf(message: string): string {
  const words = message.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '_');
  return words.replace(/^_+/, '').slice(0, SLUG_LENGTH).replace(/_+$/, '');
}

function filesOf({ id, message, definition, revises }: Draft): Readonly<Record<string, string>> {
  const title = titleOf(message);
  const branch =
    revises === undefined && definition.branch !== undefined ? `-- Branch: ${definition.branch}\n` : '';
  const today = new Date().toISOString().slice(0, 10);
  return {
    'upgrade.sql': `-- ${title}
-- Revision: ${id}
-- Revises: ${revises ?? `<${BASE}>`}
-- Create Date: ${today}
${branch}-- Locks:
-- Scans:
-- Retires:
--
-- Say here what changes and why. List the tables that the steps change after "Locks:", as in public.one, public.two:
-- they are locked together before the first step. List the tables that a step reads from end to end, as a new CHECK
-- does, after "Scans:": the time for that is estimated beforehand. List the tables that move to the schema
-- retired_${id} after "Retires:": finalize drops them.
--
-- Tables created:
-- - none
--
-- Target Database: ${definition.name}

-- step: ${title}
-- Each step is sent alone; all steps of all pending revisions run in one transaction. RAISE NOTICE reports what
-- happened, RAISE EXCEPTION with a HINT refuses and names the remedy. For example:
--   ALTER TABLE public.users ADD COLUMN new_field varchar(255);
--   COMMENT ON COLUMN public.users.new_field IS 'New field description';
SELECT 'replace this with the SQL of the step';
`,
    'downgrade.sql': `-- Rollback: ${title}
-- Revision: ${id}
-- Locks:

-- step: Taking back: ${title}
-- For example:
--   ALTER TABLE public.users DROP COLUMN IF EXISTS new_field;
SELECT 'replace this with the SQL of the step';
`,
    'verify/after-upgrade.sql': `-- Conditions that must hold after revision ${id} is applied. A check is one query: it returns the rows that violate it.

-- check: V1.1 replace this with the condition that must hold
SELECT 'what violates it' AS violation WHERE false;
`,
    'verify/before-downgrade.sql': `-- Data that the downgrade of revision ${id} would lose: if a check returns a row, the downgrade asks before it runs.

-- check: V9.1 replace this with the values that must not be lost
SELECT 'what would be lost' AS loss WHERE false;
`,
    'verify/after-downgrade.sql': `-- Conditions that must hold after the downgrade of revision ${id}.

-- check: V8.1 replace this with the condition that must hold
SELECT 'what violates it' AS violation WHERE false;
`,
  };
}
