// Quotas of a template, and the refusal of a stack that exceeds a quota, before anything is deployed.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App, Stack } from 'aws-cdk-lib';
import { CfnVPCEndpoint } from 'aws-cdk-lib/aws-ec2';
import { ROOT } from '../../lib/paths.ts';
import { exceededQuotas } from '../../lib/quotas.ts';
import { STACK, synthesize, synthesizeWithinQuotas } from '../../lib/synthesize.ts';
import { appWith, CONTEXT, DELIVERY, EVERYTHING } from './apps.ts';
import { records, text } from './quotas/faults.ts';
import { EXAMPLE } from './synthesized.ts';

const outdir = mkdtempSync(join(tmpdir(), 'backstop-test-quotas-'));
afterAll(() => rmSync(outdir, { recursive: true }));

describe('a template', () => {
  const check = (template: object) => exceededQuotas(template, { stack: STACK });

  test.each([
    ['Resources', 500, 'The template has 501 resources; CloudFormation allows 500: divide the stack.'],
    ['Outputs', 200, 'The template has 201 outputs; CloudFormation allows 200: divide the stack.'],
  ])('has %s, at most %d', (section, most, sentence) => {
    const thing = { Type: 'AWS::SNS::Topic' };
    expect(check({ [section]: records(most, thing) })).toEqual([]);
    expect(check({ [section]: records(most + 1, thing) })).toEqual([sentence]);
  });

  test('has a description of at most 1,024 bytes', () => {
    expect(check({ Description: text(1024) })).toEqual([]);
    expect(check({ Description: `ü${text(1023)}` })).toEqual([
      'The template has 1,025 bytes of description; CloudFormation allows 1,024: shorten it.',
    ]);
  });

  test('has at most a million bytes, as CDK writes it', () => {
    const rest = 1_000_000 - '{\n "Metadata": ""\n}'.length;
    expect(check({ Metadata: text(rest) })).toEqual([]);
    expect(check({ Metadata: text(rest + 1) })).toEqual([
      'The template has 1,000,001 bytes; CloudFormation allows 1,000,000: divide the stack.',
    ]);
  });
});

const EXCESS = { delivery: { ...DELIVERY, branch: text(1001) } };
const SENTENCE =
  'The BranchName of the action Source has 1,001 characters; CodePipeline allows 1,000: shorten it.';

const refusalOf = (app: App) => () => synthesizeWithinQuotas(app);

test('the largest configuration is within all quotas', () => {
  expect(refusalOf(appWith(EVERYTHING))).not.toThrow();
});

test('cdk refuses a stack that exceeds a quota', () => {
  const context = JSON.stringify({ ...CONTEXT, backstop: { ...EXAMPLE, ...EXCESS } });
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'bin/app.ts')], {
    encoding: 'utf8',
    env: { ...process.env, CDK_OUTDIR: join(outdir, 'cdk'), CDK_CONTEXT_JSON: context },
  });
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: `AWS would refuse the stack BackstopDelivery: it exceeds quotas.\nDETAIL:  ${SENTENCE}\n`,
  });
});

test('npm start refuses a stack that exceeds a quota', () => {
  process.env.CDK_CONTEXT_JSON = JSON.stringify({ 'aws:cdk:bundling-stacks': [] });
  try {
    expect(() => synthesize(join(outdir, 'start'), EXCESS)).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', detail: SENTENCE }),
    );
  } finally {
    delete process.env.CDK_CONTEXT_JSON;
  }
});

test('an endpoint with two subnets of one zone is refused, by the zones of the configuration', () => {
  const { vpcId, privateSubnetIds: subnetIds = [] } = EXAMPLE.vpc;
  const withEndpoint = (availabilityZones: string[]) => {
    const vpc = { ...EXAMPLE.vpc, availabilityZones, secretsManagerEndpoint: false };
    const app = appWith({ vpc });
    const props = { vpcId, serviceName: 'com.amazonaws.eu-central-1.rds', subnetIds: [...subnetIds] };
    new CfnVPCEndpoint(app.node.findChild(STACK) as Stack, 'Rds', props);
    return app;
  };
  expect(refusalOf(withEndpoint(['eu-central-1a', 'eu-central-1b']))).not.toThrow();
  expect(refusalOf(withEndpoint(['eu-central-1a']))).toThrow(
    'The VPC endpoint Rds has 2 subnets in eu-central-1a; EC2 allows 1',
  );
});
