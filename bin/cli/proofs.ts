// The findings of dry runs, kept in the cache of the user: `show` repeats the last one, for as long as no file changes.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { RunReport } from '../../lambda/migrator/model/report.ts';
import { revisionOf } from '../../lambda/migrator/revisions/chain.ts';
import type { Database } from '../../lambda/migrator/revisions/databases.ts';
import type { Revision } from '../../lambda/migrator/revisions/revision.ts';
import { describeRehearsal } from './rehearsal.ts';
import type { Terminal } from './terminal.ts';

const shape = z.object({
  /** ISO 8601. */
  at: z.string(),
  /** `002: 15 checks hold; it can be taken back: proved`. */
  line: z.string(),
});

/** The last finding of a dry run about a revision. */
export type Proof = z.output<typeof shape>;

/** Keeps what a dry run has found, if the user has a cache. */
export function keepProofs({ env }: Terminal, database: Database, report: RunReport): void {
  const lines = describeRehearsal(report);
  for (const [index, { revision }] of (report.rehearsal ?? []).entries()) {
    const file = fileOf(env, database.definition.name, revisionOf(database.chain, revision));
    if (file === undefined) continue;
    try {
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, JSON.stringify({ at: new Date().toISOString(), line: lines[index] }));
    } catch {
      // Without a cache nothing is repeated.
    }
  }
}

/** The finding about these files; undefined if there is none. */
export function lastProof({ env }: Terminal, name: string, revision: Revision): Proof | undefined {
  const file = fileOf(env, name, revision);
  if (file === undefined) return undefined;
  try {
    return shape.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

/** Named by the content of all files of the revision; undefined if they cannot be read. */
function fileOf(env: Terminal['env'], name: string, revision: Revision): string | undefined {
  const cache = env.XDG_CACHE_HOME || (env.HOME && join(env.HOME, '.cache'));
  if (!cache) return undefined;
  try {
    const content = JSON.stringify([name, revision.id, revision.digest]);
    return join(cache, 'backstop', `${createHash('sha256').update(content).digest('hex')}.json`);
  } catch {
    return undefined;
  }
}
