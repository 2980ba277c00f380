// What our snapshots are called: one rule for the function that takes them and for the permission to do so.
import { createHash } from 'node:crypto';
import type { Instance } from '../state.ts';

const LONGEST_ID = { instance: 255, cluster: 63 } as const;

/** How the ids of all snapshots of a database begin; `database` is a key of migrations/databases.json. */
export function snapshotPrefix(database: string): string {
  return `backstop-${plain(database)}-`;
}

/**
 * `backstop-<database>-<execution>` within RDS's rules: letters, digits and single hyphens, at most 255
 * characters (clusters: 63). What does not fit is cut, and a hash keeps the id unique.
 */
export function snapshotId(database: string, execution: string, kind: Instance['kind']): string {
  const id = `${snapshotPrefix(database)}${plain(execution)}`.replace(/-+$/, '');
  if (id.length <= LONGEST_ID[kind]) return id;
  const hash = createHash('sha256').update(id).digest('hex').slice(0, 8);
  return `${id.slice(0, LONGEST_ID[kind] - 9).replace(/-$/, '')}-${hash}`;
}

function plain(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
