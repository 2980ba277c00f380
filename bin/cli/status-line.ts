// The status of a database, in a line: `✅ orders: 002 (head)`.
import { inspect } from '../../lambda/migrator/inspect.ts';
import { countOf, textsOf } from '../../lambda/migrator/model/bounded.ts';
import { describeChanges } from '../../lambda/migrator/model/differences.ts';
import { BackstopError } from '../../lambda/migrator/model/errors.ts';
import { BASE, type Plan } from '../../lambda/migrator/model/report.ts';
import type { Member } from './fleet.ts';
import type { Terminal } from './terminal.ts';

/** The revision of one database of the fleet, or why that could not be read. */
export interface DatabaseStatus {
  readonly name: string;
  readonly found: Plan | BackstopError;
}

export async function readStatus({ name, migrator }: Member): Promise<DatabaseStatus> {
  if (migrator instanceof BackstopError) return { name, found: migrator };
  const found = await inspect({ ...migrator, listener: () => {} }).catch((error: unknown) => {
    if (error instanceof BackstopError) return error;
    throw error;
  });
  return { name, found };
}

export function isAtHead({ found }: DatabaseStatus): boolean {
  return !(found instanceof BackstopError) && found.pending.length === 0;
}

/** Whether somebody has changed the schema since the last run. */
export function hasDrifted({ found }: DatabaseStatus): boolean {
  return !(found instanceof BackstopError) && found.drift !== undefined;
}

export function describeStatus(status: DatabaseStatus, { paint, unicode }: Terminal): string {
  const { name, found } = status;
  const [good, attention, bad] = unicode ? ['✅', '⚠️', '❌'] : ['OK', 'ATTENTION', 'FAILED'];
  if (found instanceof BackstopError) return paint.bad(`${bad} ${name}: ${describeError(found)}`);
  const text = `${name}: ${describePlan(found)}`;
  if (!isAtHead(status)) return paint.bad(`${bad} ${text}`);
  const { edited, finalizePending, gone = [], reordered = [], drift } = found;
  return drift || edited.length + finalizePending.length + gone.length + reordered.length > 0
    ? paint.warning(`${attention} ${text}`)
    : paint.good(`${good} ${text}`);
}

function describePlan(plan: Plan): string {
  const { from, pending, edited, finalizePending, gone, reordered, drift } = plan;
  const listed = (field: 'pending' | 'edited' | 'finalizePending') => textsOf(plan, field).join(', ');
  return [
    pending.length === 0 ? `${from} (head)` : from === BASE ? 'uninitialized' : from,
    pending.length > 0 && `behind (${countOf(plan, 'pending')} pending: ${listed('pending')})`,
    edited.length > 0 && `edited revision ${listed('edited')}`,
    gone && `applied without a folder: ${gone.join(', ')}`,
    reordered && `applied in another order: ${reordered.join(', ')}`,
    drift && `changed since the last run: ${describeChanges(drift)}`,
    finalizePending.length > 0 && `finalize pending: ${listed('finalizePending')}`,
  ]
    .filter(Boolean)
    .join(', ');
}

/** The errors that a person looks for first have a short name; the others their sentence alone. */
function describeError({ name, summary, detail, hint }: BackstopError): string {
  const words = new Map([
    ['UnknownRevision', 'unknown revision'],
    ['RevisionOutOfOrder', 'out of order'],
    ['WrongDatabase', 'wrong database'],
    ['DatabaseUnreachable', 'unreachable'],
  ]).get(name);
  return [words ? `${words}: ${summary}` : summary, name === 'UnknownRevision' ? detail : undefined, hint]
    .filter(Boolean)
    .join('. ');
}

export function statusJson({ name, found }: DatabaseStatus) {
  if (found instanceof BackstopError) {
    const { summary, detail, hint } = found;
    return { database: name, error: found.name, message: summary, detail, hint };
  }
  const { from, pending, edited, finalizePending, gone, reordered, drift } = found;
  const applied = {
    edited,
    ...(drift && { drift }),
    ...(gone && { gone }),
    ...(reordered && { reordered }),
    finalizePending,
  };
  return { database: name, revision: from, head: pending.length === 0, pending, ...applied };
}
