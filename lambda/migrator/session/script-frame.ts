// The frame of a script: how its transaction begins and ends, and the paragraph between two files.
import { DEFAULT_BOUNDS } from '../model/bounds.ts';
import { boundInScript } from './limits.ts';
import { CHECK_DEFERRED, FORGET, RESET, SETTINGS_OF_SCRIPT } from './neutral.ts';
import { RUNNER_LOCK_KEY } from './runner-lock.ts';

export const BEGIN = `BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY;
-- Refused inside a savepoint, and then nothing can be written: so a client that wraps each statement in one, to go
-- on after errors (ON_ERROR_ROLLBACK in psql), commits nothing either.
SET TRANSACTION READ WRITE;

-- The settings of a role or database must not change what a revision means, nor how long its locks are held.
${RESET};
${SETTINGS_OF_SCRIPT}
SET LOCAL statement_timeout = ${seconds(DEFAULT_BOUNDS.transactionMs)};

-- One runner at a time: waits until other runs of Backstop on this database have ended.
SET LOCAL lock_timeout = ${seconds(DEFAULT_BOUNDS.lockWaitMs)};
SELECT pg_catalog.pg_advisory_xact_lock(${RUNNER_LOCK_KEY});

-- A table lock is waited for only briefly: everyone who comes later waits behind it.
SET LOCAL lock_timeout = ${seconds(DEFAULT_BOUNDS.lockTimeoutMs)};`;

export const RESTORE = `-- Deferred constraints are checked; then the session is as at the start again, whatever the steps have set.
${boundInScript(`${DEFAULT_BOUNDS.transactionMs}ms`)}
${CHECK_DEFERRED}
${RESET};
${SETTINGS_OF_SCRIPT}
${FORGET}
SET LOCAL statement_timeout = ${seconds(DEFAULT_BOUNDS.transactionMs)};
SET LOCAL lock_timeout = ${seconds(DEFAULT_BOUNDS.lockTimeoutMs)};`;

export const COMMIT = `-- What was deferred to COMMIT is checked now: there, no timeout would bound it.
SET CONSTRAINTS ALL IMMEDIATE;

COMMIT;`;

function seconds(ms: number): string {
  return `'${ms / 1000}s'`;
}
