// Names of the snapshots and schedules in the account. The functions and their permissions share these rules.
import { createHash } from 'node:crypto';
import type { Instance } from '../state.ts';

/** The namespace of all metrics in CloudWatch. */
export const METRICS_NAMESPACE = 'Backstop';

/** Tags by which a snapshot is known as ours. */
export const DATABASE_TAG = 'backstop:database';
export const EXECUTION_TAG = 'backstop:execution';

const LONGEST_ID = { instance: 255, cluster: 63 } as const;

/** How the ids of all snapshots begin. */
export const SNAPSHOT_PREFIX = 'backstop-';

/**
 * `backstop-<database>-<execution>` within RDS's rules: letters, digits and single hyphens, at most 255
 * characters (clusters: 63). A longer name is cut, and a hash keeps the id unique.
 */
export function snapshotId(database: string, execution: string, kind: Instance['kind']): string {
  const id = `${SNAPSHOT_PREFIX}${plain(database)}-${plain(execution)}`.replace(/-+$/, '');
  if (id.length <= LONGEST_ID[kind]) return id;
  const hash = createHash('sha256').update(id).digest('hex').slice(0, 8);
  return `${id.slice(0, LONGEST_ID[kind] - 9).replace(/-$/, '')}-${hash}`;
}

/** How the names of all schedules begin. */
export const SCHEDULE_PREFIX = 'backstop-';
const LONGEST_SCHEDULE = 64;

/** The schedule that finalizes a database: there is one at most. */
export function scheduleName(database: string): string {
  return `${SCHEDULE_PREFIX}${plain(database)}`.slice(0, LONGEST_SCHEDULE);
}

function plain(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
