// Synthesizes the app in this process, without the CDK command line: for the local twin and for tests.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, type StackProps } from 'aws-cdk-lib';
import type { CloudAssembly } from 'aws-cdk-lib/cx-api';
import { BackstopError } from '../lambda/migrator/model/errors.ts';
import { BackstopStack } from './backstop-stack.ts';
import { type BackstopProps, parseConfig, readProps, type Settings, type VpcProps } from './config.ts';
import { DeliveryStack } from './delivery-stack.ts';
import { acknowledgeBackstop, acknowledgeDelivery } from './nag.ts';
import { PLACEHOLDERS } from './network.ts';
import { ROOT } from './paths.ts';
import { refuseExcess } from './quotas.ts';

/** The name of the stack, and of its artifact in the assembly. */
export const STACK = 'Backstop';

/** The name of the stack with the pipeline. */
export const DELIVERY_STACK = 'BackstopDelivery';

/**
 * Adds the stack to an app, configured by the app's context, and the stack of the pipeline if one is configured.
 * @throws ConfigurationError
 */
export function addBackstop(app: App): BackstopStack {
  const settings = parseConfig(app.node.tryGetContext('backstop'));
  const stack = new BackstopStack(app, STACK, { settings, ...placeOf(settings) });
  acknowledgeBackstop(stack);
  addDelivery(app, settings, stack);
  return stack;
}

/**
 * A stack that looks its subnets up is for one account and region, which the CDK's command line takes from the credentials.
 *
 * @throws ConfigurationError if there are none
 */
function placeOf({ vpc }: Settings): Pick<StackProps, 'env'> {
  if (vpc.privateSubnetIds) return {};
  const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env;
  if (account && region) return { env: { account, region } };
  throw new BackstopError('ConfigurationError', {
    message: `The subnets of ${vpc.vpcId} cannot be looked up: the shell has no credentials of an AWS account`,
    hint: 'Log in to the account and the region of the VPC, or write availabilityZones and privateSubnetIds at backstop.vpc.',
  });
}

function addDelivery(app: App, settings: Settings, backstop: BackstopStack): void {
  const { delivery } = settings;
  if (!delivery) return;
  const stack = new DeliveryStack(app, DELIVERY_STACK, { settings, delivery, backstop });
  acknowledgeDelivery(stack, settings);
}

/**
 * Synthesizes an app with Backstop in it, and checks that AWS will accept its stacks.
 * @throws ConfigurationError if a stack exceeds a quota
 */
export function synthesizeWithinQuotas(app: App): CloudAssembly {
  const { zones } = app.node.findChild(STACK) as BackstopStack;
  const assembly = app.synth();
  refuseExcess(assembly, zones);
  return assembly;
}

/**
 * Synthesizes the stacks of cdk.json into `outdir`; each of `overrides` replaces a key of the configuration. It needs no
 * account: subnets that a deployment looks up are placeholders here.
 * Progress goes to standard error, nothing to standard output.
 * @throws ConfigurationError
 */
export function synthesize(outdir: string, overrides: Partial<BackstopProps> = {}): CloudAssembly {
  const { context } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'));
  const props: Partial<BackstopProps> = { ...(readProps(context.backstop) as object), ...overrides };
  const backstop = { ...props, vpc: withSubnets(props.vpc) };
  const app = new App({ outdir, context: { ...context, backstop }, analyticsReporting: false });
  addBackstop(app);
  return synthesizeWithinQuotas(app);
}

function withSubnets(vpc: VpcProps | undefined): VpcProps | undefined {
  if (!vpc || vpc.availabilityZones || vpc.privateSubnetIds) return vpc;
  return { ...vpc, ...PLACEHOLDERS };
}
