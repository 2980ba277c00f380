// Revisions that only tests have: written to a temporary folder, and read in the same way as migrations/.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadReader } from '../../lambda/migrator/grammar/postgres.ts';
import { type Chain, readChain } from '../../lambda/migrator/revisions/chain.ts';
import type { Phase } from '../../lambda/migrator/revisions/check.ts';
import type { Database } from '../../lambda/migrator/revisions/databases.ts';

/** Path below the folder → text. */
export type Files = Readonly<Record<string, string>>;

/** Writes the files to a folder, which is gone when the work is done. */
export function inFolder<T>(files: Files, work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'backstop-test-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Reads the SQL of the revisions of tests. */
export const reader = await loadReader();

/** The chain that these files form. */
export function chainOf(files: Files): Chain {
  return inFolder(files, (folder) => readChain(folder, reader));
}

/** A revision as far as a test cares; the rest is the least that is valid. */
export interface RevisionDraft {
  readonly id: string;
  readonly revises?: string;
  /** The value of the Locks line. */
  readonly locks?: string;
  /** The files after which the transaction of a run ends. */
  readonly endsTransaction?: readonly ('upgrade' | 'downgrade')[];
  /** SQL of the steps, whose titles are `Step 1`, `Step 2`, … */
  readonly upgrade?: readonly string[];
  readonly downgrade?: readonly string[];
  readonly finalize?: readonly string[];
  /** SQL of the checks, whose numbers are `V1.1`, `V1.2`, … */
  readonly checks?: Readonly<Partial<Record<Phase, readonly string[]>>>;
}

/** The files of a revision, in a folder named like its id. */
export function revisionFiles({
  id,
  revises = '<base>',
  locks = '',
  endsTransaction = [],
  upgrade = ['SELECT 1;'],
  downgrade = ['SELECT 1;'],
  finalize,
  checks = {},
}: RevisionDraft): Files {
  const head = `-- Revision ${id} of a test\n-- Revision: ${id}\n-- Locks: ${locks}\n`;
  const ends = (file: 'upgrade' | 'downgrade') =>
    endsTransaction.includes(file) ? '-- Transaction: own\n' : '';
  const steps = (all: readonly string[]) =>
    all.map((sql, index) => `\n-- step: Step ${index + 1}\n${ended(sql)}\n`).join('');
  const verify = Object.entries(checks).map(([phase, all]) => [
    `${id}/verify/${phase}.sql`,
    all.map((sql, index) => `-- check: V1.${index + 1} check ${index + 1}\n${ended(sql)}\n`).join(''),
  ]);
  return {
    [`${id}/upgrade.sql`]: `${head}-- Revises: ${revises}\n-- Create Date: 2025-10-11\n${ends('upgrade')}${steps(upgrade)}`,
    [`${id}/downgrade.sql`]: head + ends('downgrade') + steps(downgrade),
    ...(finalize && { [`${id}/finalize.sql`]: head + steps(finalize) }),
    ...Object.fromEntries(verify),
  };
}

/** Ended so that the next line begins a new statement. */
function ended(sql: string): string {
  const lastLine = sql.trimEnd().slice(sql.trimEnd().lastIndexOf('\n') + 1);
  return lastLine.endsWith(';') && !lastLine.includes('--') ? sql : `${sql}\n;`;
}

/** A database whose chain are these revisions. */
export function databaseOf(...drafts: RevisionDraft[]): Database {
  const files = Object.assign({}, ...drafts.map(revisionFiles));
  return {
    definition: { name: 'test', folder: 'test', urlVariable: 'DATABASE_URL', extensions: [] },
    chain: chainOf(files),
  };
}
