// Migrations that only these tests have: databases.json and a folder of revisions for each database, until the file has ended.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Files, type RevisionDraft, revisionFiles } from '../../setup/revisions.ts';

const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/** Writes the files to a new folder, and returns its path. */
export function folderOf(files: Files): string {
  const folder = mkdtempSync(join(tmpdir(), 'backstop-test-'));
  made.push(folder);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

export interface DatabaseDraft {
  readonly branch?: string;
  readonly system?: string;
  readonly urlVariable?: string;
  readonly voice?: 'plain' | 'alembic';
  readonly flags?: { readonly only?: string; readonly status?: string };
  readonly revisions: readonly RevisionDraft[];
}

/** The files of a migrations folder with these databases, each in a folder with its name. */
export function migrationFiles(databases: Readonly<Record<string, DatabaseDraft>>): Files {
  const definitions: Record<string, object> = {};
  const files: Record<string, string> = {};
  for (const [name, { revisions, urlVariable = 'DATABASE_URL', ...rest }] of Object.entries(databases)) {
    definitions[name] = { folder: name, urlVariable, ...rest };
    const { branch } = rest;
    for (const [index, draft] of revisions.entries()) {
      for (const [path, text] of Object.entries(revisionFiles(draft))) {
        const labelled = index === 0 && branch !== undefined && path.endsWith('/upgrade.sql');
        files[`${name}/${path}`] = labelled
          ? `-- Revision ${draft.id} of a test\n-- Branch: ${branch}\n${text}`
          : text;
      }
    }
  }
  return { 'databases.json': JSON.stringify(definitions), ...files };
}

/** The path of such a folder. */
export function migrationsOf(databases: Readonly<Record<string, DatabaseDraft>>): string {
  return folderOf(migrationFiles(databases));
}

/**
 * A chain in which a downgrade can lose data: 001 makes a table, 002 retires it, 003 makes another and does not say
 * what its downgrade loses.
 */
export const RETIRING: readonly RevisionDraft[] = [
  {
    id: '001',
    upgrade: ['CREATE TABLE one (n int);'],
    downgrade: ['DROP TABLE one;'],
    checks: {
      'after-upgrade': ["SELECT 'one' AS missing WHERE to_regclass('public.one') IS NULL;"],
      // Later revisions may still be applied: the table is counted in the schema where it is.
      'before-downgrade': [
        `SELECT place AS table_name, rows FROM unnest(ARRAY['public.one', 'retired_002.one']) AS place
         CROSS JOIN LATERAL (SELECT substring(
           query_to_xml('SELECT count(*) AS rows FROM ' || to_regclass(place)::text, false, false, '')::text
           FROM '<rows>([0-9]+)</rows>')::bigint AS rows) AS counted
         WHERE rows > 0;`,
      ],
    },
  },
  {
    id: '002',
    revises: '001',
    upgrade: ['CREATE SCHEMA retired_002;', 'ALTER TABLE one SET SCHEMA retired_002;'],
    downgrade: [
      `DO $$ BEGIN
         IF to_regclass('retired_002.one') IS NULL THEN CREATE TABLE one (n int);
         ELSE ALTER TABLE retired_002.one SET SCHEMA public; END IF;
       END $$;`,
      'DROP SCHEMA IF EXISTS retired_002;',
    ],
    finalize: ['DROP SCHEMA retired_002 CASCADE;'],
    checks: { 'before-downgrade': ["SELECT 'nothing' AS loss WHERE false;"] },
  },
  { id: '003', revises: '002', upgrade: ['CREATE TABLE three ();'], downgrade: ['DROP TABLE three;'] },
];

/** Replaces the placeholders of a new revision, as its author does. */
export function fillIn(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name);
    if (!name.endsWith('.sql')) continue;
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll('replace this with', 'filled in:'));
  }
}
