// Take snapshot: asks RDS for the snapshot of this execution, and says how far it is.
import { ensureSnapshot } from './aws/snapshot.ts';
import { readEnvironment, snapshotEnvironment } from './runtime/environment.ts';
import { stateHandler } from './runtime/handler.ts';
import { measureSnapshot } from './runtime/metrics.ts';

export const handler = stateHandler(
  { step: 'Snapshot', measure: measureSnapshot },
  async ({ instance, request, execution, snapshot: previous }, { logger }) => {
    const environment = readEnvironment(snapshotEnvironment);
    const { snapshot, says } = await ensureSnapshot({
      instance,
      database: request.database,
      execution,
      previous,
      keep: environment.BACKSTOP_KEEP_SNAPSHOTS,
      timeoutSeconds: environment.BACKSTOP_SNAPSHOT_TIMEOUT_SECONDS,
    });
    logger.info(says, { snapshot });
    return snapshot;
  },
);
