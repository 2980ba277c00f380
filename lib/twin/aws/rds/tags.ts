// Tags in RDS, on any resource with an ARN.
import type { LocalAccount } from '../account.ts';
import { fault, type Kind, notFound, type Parameters, snapshotNotFound, WORDS } from './words.ts';

export function addTags(account: LocalAccount, parameters: Parameters): object {
  const resource = existingResource(account, parameters);
  account.tags.set(resource, new Map([...(account.tags.get(resource) ?? []), ...parseTags(parameters)]));
  return {};
}

/** Reads `Tags.Tag.1.Key`, `Tags.Tag.1.Value`, `Tags.Tag.2.Key` …, within RDS's rules for tags. */
export function parseTags(parameters: Parameters): Map<string, string> {
  const tags = new Map<string, string>();
  for (let n = 1; parameters[`Tags.Tag.${n}.Key`] !== undefined; n++) {
    const key = parameters[`Tags.Tag.${n}.Key`] ?? '';
    const value = parameters[`Tags.Tag.${n}.Value`] ?? '';
    const allowed = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
    if (!allowed.test(key + value) || key.length > 128 || value.length > 256 || /^(aws|rds):/.test(key)) {
      throw fault(
        'InvalidParameterValue',
        `The tag ${key}=${value} has a key or value that RDS does not allow.`,
      );
    }
    tags.set(key, value);
  }
  if (tags.size > 50) throw fault('InvalidParameterValue', 'A resource has at most 50 tags.');
  return tags;
}

export function tagList(account: LocalAccount, resource: string): object {
  return { Tag: [...(account.tags.get(resource) ?? [])].map(([Key, Value]) => ({ Key, Value })) };
}

export function existingResource(account: LocalAccount, { ResourceName: resource = '' }: Parameters): string {
  const [, , , , , type = '', identifier = ''] = resource.split(':');
  for (const [kind, words] of Object.entries(WORDS) as [Kind, (typeof WORDS)[Kind]][]) {
    if (type === words.snapshot.arn && !account.snapshots.has(resource))
      throw snapshotNotFound(kind, identifier);
    if (type === words.arn && !account.instances.has(identifier)) throw notFound(kind, identifier);
  }
  return resource;
}
