// The Query protocol of Amazon RDS: the actions that Backstop uses, on real servers.
import type { LocalServer } from '../server.ts';
import type { LocalAccount } from './account.ts';
import { describeClusters, describeInstances } from './rds/instances.ts';
import {
  createSnapshot,
  deleteSnapshot,
  describeQuotas,
  describeSnapshots,
  restoreInstance,
} from './rds/snapshots.ts';
import { addTags, existingResource, tagList } from './rds/tags.ts';
import { fault, type Parameters } from './rds/words.ts';

/**
 * Performs one action and returns the content of its result element.
 * @param restored collects the servers that a restore starts, for the caller to stop.
 */
export function callRds(
  account: LocalAccount,
  restored: Promise<LocalServer>[],
  action: string,
  parameters: Parameters,
): object {
  switch (action) {
    case 'DescribeDBInstances':
      return describeInstances(account, parameters);
    case 'DescribeDBClusters':
      return describeClusters(account, parameters);
    case 'CreateDBSnapshot':
      return createSnapshot(account, 'instance', parameters);
    case 'CreateDBClusterSnapshot':
      return createSnapshot(account, 'cluster', parameters);
    case 'DescribeDBSnapshots':
      return describeSnapshots(account, 'instance', parameters);
    case 'DescribeDBClusterSnapshots':
      return describeSnapshots(account, 'cluster', parameters);
    case 'DeleteDBSnapshot':
      return deleteSnapshot(account, 'instance', parameters);
    case 'DeleteDBClusterSnapshot':
      return deleteSnapshot(account, 'cluster', parameters);
    case 'RestoreDBInstanceFromDBSnapshot':
      return restoreInstance(account, restored, parameters);
    case 'AddTagsToResource':
      return addTags(account, parameters);
    case 'ListTagsForResource':
      return { TagList: tagList(account, existingResource(account, parameters)) };
    case 'DescribeAccountAttributes':
      return describeQuotas(account);
    default:
      throw fault('InvalidAction', `The local twin of AWS has no ${action}.`);
  }
}
