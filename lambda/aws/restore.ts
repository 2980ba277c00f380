// How a person restores a database from a snapshot: the one sentence about it, with the command.
import type { DBCluster, DBInstance } from '@aws-sdk/client-rds';
import type { Description } from './instance.ts';

export const NOTHING_TO_RESTORE = 'There is no snapshot to restore: RDS has not begun it.';

/** @param snapshot id of the snapshot */
export function restoreSentence(description: Description, snapshot: string): string {
  const command =
    description.kind === 'instance'
      ? restoreInstance(description.instance, snapshot)
      : restoreCluster(description.cluster, snapshot);
  return `To restore the database as it was before this execution, without anything that was written since: ${command.filter(Boolean).join(' ')}`;
}

/** Words of a command; an option that does not apply is empty. */
type Words = readonly (string | undefined | false)[];

/** The command names every setting: without them a restored instance gets the default groups. */
function restoreInstance(
  { DBInstanceIdentifier, DBSubnetGroup, VpcSecurityGroups, DBParameterGroups = [] }: DBInstance,
  id: string,
): Words {
  return [
    'aws rds restore-db-instance-from-db-snapshot',
    `--db-instance-identifier ${DBInstanceIdentifier}-restored --db-snapshot-identifier ${id}`,
    option('db-subnet-group-name', DBSubnetGroup?.DBSubnetGroupName),
    groups(VpcSecurityGroups),
    option('db-parameter-group-name', DBParameterGroups[0]?.DBParameterGroupName),
  ];
}

function restoreCluster(cluster: DBCluster, id: string): Words {
  const { Engine = '', DBClusterMembers = [], ServerlessV2ScalingConfiguration: scaling } = cluster;
  const restored = `${cluster.DBClusterIdentifier}-restored`;
  const command = [
    'aws rds restore-db-cluster-from-snapshot',
    `--db-cluster-identifier ${restored} --snapshot-identifier ${id} --engine ${Engine}`,
    option('db-subnet-group-name', cluster.DBSubnetGroup),
    groups(cluster.VpcSecurityGroups),
    option('db-cluster-parameter-group-name', cluster.DBClusterParameterGroup),
  ];
  // A Multi-AZ cluster comes with its instances.
  if (!Engine.startsWith('aurora')) {
    return [
      ...command,
      option('db-cluster-instance-class', cluster.DBClusterInstanceClass),
      option('storage-type', cluster.StorageType),
      // RDS refuses it for small gp3 volumes.
      cluster.StorageType?.startsWith('io') && option('iops', cluster.Iops),
    ];
  }
  const writer = DBClusterMembers.find(({ IsClusterWriter }) => IsClusterWriter)?.DBInstanceIdentifier;
  return [
    ...command,
    scaling &&
      `--serverless-v2-scaling-configuration MinCapacity=${scaling.MinCapacity},MaxCapacity=${scaling.MaxCapacity}`,
    // An instance can be created only once the cluster is available.
    `&& aws rds wait db-cluster-available --db-cluster-identifier ${restored}`,
    `&& aws rds create-db-instance --db-instance-identifier ${restored}-1 --db-cluster-identifier ${restored}`,
    `--engine ${Engine} --db-instance-class <the class of ${writer ?? 'the writer'}>`,
  ];
}

function option(name: string, value: string | number | undefined): string | undefined {
  return value ? `--${name} ${value}` : undefined;
}

function groups(memberships: DBCluster['VpcSecurityGroups'] = []): string {
  const ids = memberships.map(({ VpcSecurityGroupId }) => VpcSecurityGroupId).filter(Boolean);
  return ids.length > 0 ? `--vpc-security-group-ids ${ids.join(' ')}` : '';
}
