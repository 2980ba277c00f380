// The whole app as the tests look at it, with the pipeline beside the state machine; without bundling.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { BackstopProps, DeliveryProps } from '../../lib/config.ts';
import { ROOT } from '../../lib/paths.ts';
import { addBackstop } from '../../lib/synthesize.ts';
import { EXAMPLE } from './synthesized.ts';

/** The context that cdk.json gives, and no bundling. */
export const CONTEXT = {
  ...JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8')).context,
  'aws:cdk:bundling-stacks': [],
};

export const DELIVERY: DeliveryProps = {
  connectionArn:
    'arn:aws:codeconnections:eu-central-1:111122223333:connection/01234567-89ab-cdef-0123-456789abcdef',
  repository: 'acme/backstop',
};

export const KEY_ARN = 'arn:aws:kms:eu-central-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef';

/** Every setting that adds a resource or a permission. */
export const EVERYTHING: Partial<BackstopProps> = {
  databases: {
    codebase_mcp: {
      ...EXAMPLE.databases.codebase_mcp,
      secretKeyArn: KEY_ARN,
    } as BackstopProps['databases'][string],
    socrates_auth: {
      identifier: 'socrates',
      iam: { user: 'backstop', resourceId: 'db-ABCDEFGHIJKL01234', databaseName: 'socrates_auth' },
      securityGroupId: 'sg-1123456789abcdef0',
    },
  },
  finalizeAfterDays: 7,
  notificationEmail: 'database@example.com',
  alarms: true,
  allowDrills: true,
  kmsKeyArn: KEY_ARN,
  delivery: DELIVERY,
};

/** The example of cdk.json with `overrides`, in an app that is not synthesized yet. */
export function appWith(overrides: Partial<BackstopProps>): App {
  const backstop = { ...EXAMPLE, ...overrides };
  const outdir = mkdtempSync(join(assemblies, 'cdk-'));
  const app = new App({ outdir, context: { ...CONTEXT, backstop } });
  addBackstop(app);
  return app;
}

export function templateOf(app: App, stack: string): Template {
  return Template.fromStack(app.node.findChild(stack) as Stack);
}

const assemblies = mkdtempSync(join(tmpdir(), 'backstop-test-app-'));
afterAll(() => rmSync(assemblies, { recursive: true }));
