// Whether the limits of the account leave room for functions and snapshots.
import { GetAccountSettingsCommand } from '@aws-sdk/client-lambda';
import { DescribeAccountAttributesCommand } from '@aws-sdk/client-rds';
import type { Environment } from './environment.ts';
import { bad, type Finding, goodUnless, warning } from './finding.ts';

/** Functions of several executions run at once. */
const LEAST_CONCURRENCY = 10;
/** More than the code of one deployment. */
const LEAST_CODE_BYTES = 100 * 1024 ** 2;

export async function checkLambda({ clients }: Environment): Promise<Finding[]> {
  const { AccountLimit, AccountUsage } = await clients.lambda.send(new GetAccountSettingsCommand({}));
  const { ConcurrentExecutions = 0, TotalCodeSize: mostBytes = 0 } = AccountLimit ?? {};
  const concurrency = AccountLimit?.UnreservedConcurrentExecutions ?? ConcurrentExecutions;
  const free = mostBytes - (AccountUsage?.TotalCodeSize ?? 0);
  const faults: Finding[] = [];
  if (concurrency < LEAST_CONCURRENCY) {
    const message = `Lambda may run ${concurrency} functions at once, and ${LEAST_CONCURRENCY} are needed`;
    faults.push(bad(message, 'Ask Service Quotas for more concurrent executions, or reserve fewer.'));
  }
  if (free < LEAST_CODE_BYTES) {
    const message = `Lambda has room for ${Math.floor(free / 1024 ** 2)} MB of code, and 100 MB are needed`;
    faults.push(bad(message, 'Delete old versions of functions: docs/runbook.md, "After a deployment".'));
  }
  return goodUnless(faults, `Lambda may run ${concurrency} functions at once, and has room for their code`);
}

const QUOTAS = { instance: 'ManualSnapshots', cluster: 'ManualClusterSnapshots' } as const;

/** The quotas for instances and for clusters are separate. */
export async function checkSnapshots({ clients, settings, server }: Environment): Promise<Finding[]> {
  const { AccountQuotas = [] } = await clients.rds.send(new DescribeAccountAttributesCommand({}));
  const kinds: (keyof typeof QUOTAS)[] = [];
  for (const identifier of new Set(Object.values(settings.databases).map(({ identifier }) => identifier))) {
    // A server that cannot be described is reported by its own check.
    const described = await server(identifier).catch(() => undefined);
    if (described) kinds.push(described.kind);
  }
  const rooms: string[] = [];
  const faults = [...new Set(kinds)].flatMap((kind): Finding[] => {
    const quota = AccountQuotas.find(({ AccountQuotaName }) => AccountQuotaName === QUOTAS[kind]);
    const { Used = 0, Max = 0 } = quota ?? {};
    const used = `${Used} of ${Max} manual ${kind} snapshots of the account are used`;
    rooms.push(used);
    const hint = 'Delete snapshots that are not needed, ask Service Quotas for more, or lower keepSnapshots.';
    if (Used >= Max) return [bad(used, hint)];
    // A new snapshot is taken before the oldest is deleted.
    const needed = kinds.filter((other) => other === kind).length * (settings.keepSnapshots + 1);
    return Max - Used < needed ? [warning(`${used}, and Backstop keeps up to ${needed}`, hint)] : [];
  });
  return goodUnless(faults, rooms.join('; ') || 'No database was found that a snapshot could be taken of');
}
