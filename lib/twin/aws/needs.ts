// The permissions that a request needs: actions, resources and condition keys, as AWS's Service Authorization Reference has them.
import { ACCOUNT, type LocalAccount, REGION } from './account.ts';
import type { Need } from './iam.ts';
import { parseTags } from './rds/tags.ts';
import { arn, lower, type Parameters, WORDS } from './rds/words.ts';
import { secretArnOf } from './secrets-manager.ts';

type Context = Need['context'];

/** The needs of a request to RDS. */
export function rdsNeeds(account: LocalAccount, action: string, parameters: Parameters): Need[] {
  const needing = (name: string, resources: readonly string[], context: Context = {}): Need[] =>
    resources.map((resource) => ({
      action: `rds:${name}`,
      resource,
      context: { ...context, ...tagContext('aws:ResourceTag', account.tags.get(resource)) },
    }));
  const kind = /DBCluster/.test(action) ? 'cluster' : 'instance';
  const { element, arn: type, snapshot } = WORDS[kind];
  const database = parameters[`${element}Identifier`];
  const named = parameters[`${snapshot.element}Identifier`];
  // A listing that names no object is judged by all of its kind.
  const databases = arn(type, lower(database ?? '*'));
  const snapshots = arn(snapshot.arn, lower(named ?? '*'));

  switch (action) {
    case 'DescribeDBInstances':
    case 'DescribeDBClusters':
      return needing(action, [databases]);
    case 'DescribeDBSnapshots':
    case 'DescribeDBClusterSnapshots':
      return needing(action, database === undefined ? [snapshots] : [databases, snapshots]);
    case 'DeleteDBSnapshot':
    case 'DeleteDBClusterSnapshot':
      return needing(action, [snapshots]);
    case 'CreateDBSnapshot':
    case 'CreateDBClusterSnapshot': {
      const requested = requestedTags(parameters);
      const tagging =
        parseTags(parameters).size > 0 ? needing('AddTagsToResource', [snapshots], requested) : [];
      return [...needing(action, [databases, snapshots], requested), ...tagging];
    }
    default:
      // The actions on tags name their resource by its ARN.
      return needing(action, [parameters.ResourceName ?? arn('*', '*')], requestedTags(parameters));
  }
}

function requestedTags(parameters: Parameters): Context {
  const tags = parseTags(parameters);
  return { ...tagContext('aws:RequestTag', tags), 'aws:TagKeys': [...tags.keys()] };
}

function tagContext(prefix: string, tags: ReadonlyMap<string, string> = new Map()): Context {
  return Object.fromEntries([...tags].map(([key, value]) => [`${prefix}/${key}`, [value]]));
}

/** The needs of a request for a secret: its key is needed, too, if a customer's key encrypts it. */
export function secretsManagerNeeds(
  account: LocalAccount,
  action: string,
  { SecretId = '' }: Parameters,
): Need[] {
  const resource = secretArnOf(account, SecretId);
  const key = account.secretKeys.get(resource);
  return [
    { action: `secretsmanager:${action}`, resource, context: {} },
    ...(key === undefined || action !== 'GetSecretValue'
      ? []
      : [
          {
            action: 'kms:Decrypt',
            resource: key,
            context: {
              'kms:ViaService': [`secretsmanager.${REGION}.amazonaws.com`],
              'kms:EncryptionContext:SecretARN': [resource],
            },
          },
        ]),
  ];
}

/** The needs of a request for a schedule, which also hands over the role with which it will start its target. */
export function schedulerNeeds(
  action: string,
  {
    Name,
    GroupName = 'default',
    Target,
  }: { Name?: string; GroupName?: string; Target?: { RoleArn: string } },
): Need[] {
  return [
    {
      action: `scheduler:${action}`,
      resource: `arn:aws:scheduler:${REGION}:${ACCOUNT}:schedule/${GroupName}/${Name}`,
      context: {},
    },
    {
      action: 'iam:PassRole',
      resource: Target?.RoleArn ?? '',
      context: { 'iam:PassedToService': ['scheduler.amazonaws.com'] },
    },
  ];
}
