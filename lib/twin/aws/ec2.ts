// The Query protocol of Amazon EC2: the descriptions of a network, made from records with the names of the SDK.
import type { LocalAccount } from './account.ts';
import type { Surroundings } from './surroundings.ts';

const KINDS: Readonly<Record<string, keyof Surroundings['network']>> = {
  DescribeVpcs: 'Vpcs',
  DescribeSubnets: 'Subnets',
  DescribeRouteTables: 'RouteTables',
  DescribeVpcEndpoints: 'VpcEndpoints',
  DescribeSecurityGroups: 'SecurityGroups',
  DescribeVpcEndpointServices: 'ServiceDetails',
};

/** Performs one action; undefined if it is not known. */
export function callEc2(
  { surroundings: { network, dnsSupport } }: LocalAccount,
  action: string,
  parameters: Readonly<Record<string, string>>,
): object | undefined {
  if (action === 'DescribeVpcAttribute')
    return written({ EnableDnsSupport: { Value: dnsSupport } }) as object;
  const kind = KINDS[action];
  if (kind === undefined) return undefined;
  const filters = filtersIn(parameters);
  const found = (network[kind] as readonly object[]).filter((each) =>
    filters.every(({ property, values }) => values.includes(String(Reflect.get(each, property)))),
  );
  return written({ [kind]: found }) as object;
}

interface Filter {
  /** `vpc-id` filters by `VpcId`. */
  readonly property: string;
  readonly values: readonly string[];
}

function filtersIn(parameters: Readonly<Record<string, string>>): Filter[] {
  return Object.entries(parameters).flatMap(([key, name]) => {
    const [, filter] = /^(Filter\.\d+)\.Name$/.exec(key) ?? [];
    if (filter === undefined) return [];
    const values = Object.entries(parameters).filter(([other]) => other.startsWith(`${filter}.Value.`));
    const property = name.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
    return { property, values: values.map(([, value]) => value) };
  });
}

/** Lists whose XML element has another name than the rule gives. */
const LISTS: Readonly<Record<string, string>> = {
  SecurityGroups: 'securityGroupInfo',
  IpPermissions: 'ipPermissions',
  IpRanges: 'ipRanges',
  UserIdGroupPairs: 'groups',
};

/** The rule of EC2's XML: `Subnets: […]` is `<subnetSet><item>…`. */
function written(value: unknown): unknown {
  if (Array.isArray(value)) return { item: value.map(written) };
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const name = LISTS[key] ?? (Array.isArray(inner) ? key.replace(/s$/, 'Set') : key);
      return [name.charAt(0).toLowerCase() + name.slice(1), written(inner)];
    }),
  );
}
