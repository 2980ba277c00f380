// A database that cannot be reached yet: it wakes from a pause, fails over or restarts, or its password is being rotated.
import { setTimeout as sleep } from 'node:timers/promises';
import { type BackstopError, type EndingName, isEnding } from '../migrator/model/errors.ts';
import type { Connect } from '../migrator/session/connection.ts';

/**
 * Aurora wakes in 15 to 30 s and fails over in less than 60; a demoted writer is a standby for a while. A rotation sets the
 * password on the server before the secret has it.
 */
const MAY_PASS: readonly EndingName[] = ['DatabaseUnreachable', 'ReadOnlyServer', 'CredentialsRejected'];

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;

export interface Patience {
  /** For how long it is tried again. */
  readonly forMs: number;
  /** Hears of each failed attempt that is not the last. */
  readonly tell: (error: BackstopError, pauseMs: number) => void;
}

/** Tries again, until the first connection is there: afterwards a connection is needed at once or not at all. */
export function patiently(connect: Connect, { forMs, tell }: Patience): Connect {
  const deadline = performance.now() + forMs;
  let isReached = false;
  return async (applicationName) => {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        const client = await connect(applicationName);
        isReached = true;
        return client;
      } catch (error) {
        const mayPass = MAY_PASS.some((ending) => isEnding(error, ending));
        if (isReached || !mayPass || performance.now() + pauseMs > deadline) throw error;
        tell(error as BackstopError, pauseMs);
        await sleep(pauseMs);
      }
    }
  };
}
