// How a person restores a database from a snapshot: the one sentence about it, with the command.
import type { Description } from './instance.ts';

/** @param snapshot id of the snapshot; undefined if RDS has not begun it */
export function restoreSentence(description: Description, snapshot: string | undefined): string {
  return snapshot === undefined
    ? 'There is no snapshot to restore: RDS has not begun it.'
    : `To restore the database as it was before this execution, without anything that was written since: ${restoreCommand(description, snapshot)}`;
}

/** The command names every setting: without them a restored instance gets the default groups. */
function restoreCommand(description: Description, id: string): string {
  if (description.kind === 'instance') {
    const {
      DBInstanceIdentifier,
      DBSubnetGroup,
      VpcSecurityGroups = [],
      DBParameterGroups = [],
    } = description.instance;
    return [
      'aws rds restore-db-instance-from-db-snapshot',
      `--db-instance-identifier ${DBInstanceIdentifier}-restored --db-snapshot-identifier ${id}`,
      DBSubnetGroup?.DBSubnetGroupName && `--db-subnet-group-name ${DBSubnetGroup.DBSubnetGroupName}`,
      groups(VpcSecurityGroups),
      DBParameterGroups[0] && `--db-parameter-group-name ${DBParameterGroups[0].DBParameterGroupName}`,
    ]
      .filter(Boolean)
      .join(' ');
  }
  const {
    DBClusterIdentifier,
    DBSubnetGroup,
    VpcSecurityGroups = [],
    DBClusterParameterGroup,
    Engine,
    DBClusterMembers = [],
  } = description.cluster;
  const restored = `${DBClusterIdentifier}-restored`;
  return [
    'aws rds restore-db-cluster-from-snapshot',
    `--db-cluster-identifier ${restored} --snapshot-identifier ${id} --engine ${Engine}`,
    DBSubnetGroup && `--db-subnet-group-name ${DBSubnetGroup}`,
    groups(VpcSecurityGroups),
    DBClusterParameterGroup && `--db-cluster-parameter-group-name ${DBClusterParameterGroup}`,
    // An instance can be created only once the cluster is available.
    `&& aws rds wait db-cluster-available --db-cluster-identifier ${restored}`,
    `&& aws rds create-db-instance --db-instance-identifier ${restored}-1 --db-cluster-identifier ${restored}`,
    `--engine ${Engine} --db-instance-class <the class of ${DBClusterMembers[0]?.DBInstanceIdentifier ?? 'the writer'}>`,
  ]
    .filter(Boolean)
    .join(' ');
}

function groups(memberships: readonly { VpcSecurityGroupId?: string | undefined }[]): string {
  const ids = memberships.map(({ VpcSecurityGroupId }) => VpcSecurityGroupId).filter(Boolean);
  return ids.length > 0 ? `--vpc-security-group-ids ${ids.join(' ')}` : '';
}
