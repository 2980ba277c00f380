// Quotas of AWS that a template must keep: a stack that AWS would refuse halfway through its deployment is refused before.
import type { CloudAssembly } from 'aws-cdk-lib/cx-api';
import { BackstopError } from '../lambda/migrator/model/errors.ts';
import { faultIn } from './quotas/fault.ts';
import { propertyFaults } from './quotas/properties.ts';
import {
  dashboardFaults,
  endpointFaults,
  environmentFaults,
  pipelineFaults,
  policyFaults,
  securityGroupFaults,
  type Zones,
} from './quotas/sums.ts';
import { type Place, resourcesOf, type Template } from './quotas/template.ts';

/**
 * Every quota that a template exceeds: a sentence with the resource, the quota, the excess and the remedy.
 * A value that only the deployment knows is measured at its longest: names as CloudFormation makes them, and in an
 * unknown place `ap-southeast-1` and `aws-us-gov`.
 * @param zones the availability zones of subnets; the others are not checked
 */
export function exceededQuotas(template: Template, place: Place, zones: Zones = {}): string[] {
  const resources = resourcesOf(template, place);
  return [
    ...templateFaults(template),
    ...resources.flatMap(propertyFaults),
    ...policyFaults(resources),
    ...environmentFaults(resources),
    ...securityGroupFaults(resources),
    ...endpointFaults(resources, zones),
    ...dashboardFaults(resources),
    ...pipelineFaults(resources),
  ];
}

/**
 * Checks every stack of an assembly.
 * @throws ConfigurationError with a line for each quota that is exceeded
 */
export function refuseExcess({ stacks }: CloudAssembly, zones: Zones): void {
  // A zone has the name of its region, and a letter: eu-central-1a.
  const region = Object.values(zones)[0]?.slice(0, -1);
  for (const { stackName: stack, template } of stacks) {
    const detail = exceededQuotas(template, { stack, region }, zones);
    if (detail.length === 0) continue;
    throw new BackstopError('ConfigurationError', {
      message: `AWS would refuse the stack ${stack}: it exceeds quotas.`,
      detail,
    });
  }
}

function templateFaults(template: Template): string[] {
  const { Description = '', Resources = {}, Outputs = {} } = template;
  const owner = 'CloudFormation';
  const count = (records: object) => Object.keys(records).length;
  const divide = 'divide the stack';
  return [
    { actual: count(Resources), unit: 'resources', most: 500, remedy: divide },
    { actual: count(Outputs), unit: 'outputs', most: 200, remedy: divide },
    // As CDK writes it. CloudFormation's megabyte is a million bytes.
    {
      actual: Buffer.byteLength(JSON.stringify(template, undefined, 1)),
      unit: 'bytes',
      most: 1_000_000,
      remedy: divide,
    },
    {
      actual: Buffer.byteLength(Description),
      unit: 'bytes of description',
      most: 1024,
      remedy: 'shorten it',
    },
  ].flatMap((quota) => faultIn({ ...quota, subject: 'The template', owner }));
}
