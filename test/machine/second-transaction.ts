// Revisions whose upgrade is two transactions, the second of which fails.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Deployment } from '../../lib/twin/deployment.ts';
import { withMigrations } from './twin.ts';

/** The functions with these revisions. */
export function secondTransactionFails(): Deployment {
  return withMigrations(addFailingRevision);
}

/** 002 is committed by itself, and the revision after it fails. */
function addFailingRevision(folder: string): void {
  const revision = join(folder, 'codebase_mcp/006_divide');
  const upgrade = join(folder, 'codebase_mcp/002_remove_non_search_tables/upgrade.sql');
  const text = readFileSync(upgrade, 'utf8');
  writeFileSync(upgrade, text.replace('\n-- Revises:', '\n-- Transaction: own\n-- Revises:'));
  mkdirSync(revision);
  const header = '-- Divide\n-- Revision: 006\n';
  writeFileSync(
    join(revision, 'upgrade.sql'),
    `${header}-- Revises: 002\n-- Create Date: 2026-11-27\n\n-- step: Dividing\nSELECT 1 / 0;\n`,
  );
  writeFileSync(join(revision, 'downgrade.sql'), `${header}\n-- step: Nothing\nSELECT 1;\n`);
}
