// cdk-nag: every finding is acknowledged, and every acknowledgement has a finding.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, type Stack, Validations } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import type { BackstopProps } from '../../lib/config.ts';
import { ROOT } from '../../lib/paths.ts';
import { appWith, CONTEXT, DELIVERY, EVERYTHING } from './apps.ts';
import { EXAMPLE } from './synthesized.ts';

// Each synthesis below also applies CloudFormation's own rules, which other tests leave out (test/setup/start.ts).
process.env.CDK_VALIDATION = 'true';

const CONFIGURATIONS: [string, Partial<BackstopProps>][] = [
  ['only the required keys', {}],
  ['as little as can be', { alarms: false, vpc: { ...EXAMPLE.vpc, secretsManagerEndpoint: false } }],
  ['a pipeline', { delivery: DELIVERY }],
  ['a pipeline without approval', { delivery: { ...DELIVERY, approval: false } }],
  ['everything', EVERYTHING],
];

interface Finding {
  readonly path: string;
  readonly id: string;
}

/** Findings of cdk-nag; with `acknowledged`, also the acknowledged ones. */
function findingsIn(app: App, { acknowledged }: { acknowledged: boolean }): Finding[] {
  const checks = new AwsSolutionsChecks();
  if (acknowledged) Reflect.set(checks, 'isAcknowledged', () => false);
  return checks
    .validateScope(app)
    .violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath = '' }) => ({ path: constructPath, id: ruleName })),
    );
}

function acknowledgementsIn(app: App): (Finding & { readonly reason: string })[] {
  return app.node.findAll().flatMap(({ node }: IConstruct) =>
    node.metadata
      .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
      .flatMap(({ data }) => Object.entries<string>(data))
      .map(([id, reason]) => ({ path: node.path, id: id.replace('Annotation::', ''), reason }))
      .filter(({ id }) => id.startsWith('AwsSolutions-')),
  );
}

describe.each(CONFIGURATIONS)('with %s', (_, overrides) => {
  let app: App;
  beforeAll(() => {
    app = appWith(overrides);
    // References between the stacks are resolved by the synthesis only.
    app.synth();
  });

  test('nothing is found that is not acknowledged', () => {
    expect(findingsIn(app, { acknowledged: false })).toEqual([]);
  });

  test('nothing is acknowledged that is not found', () => {
    const findings = findingsIn(app, { acknowledged: true });
    const stale = acknowledgementsIn(app).filter(
      ({ path, id }) =>
        !findings.some((finding) => finding.id === id && `${finding.path}/`.startsWith(`${path}/`)),
    );
    expect(stale).toEqual([]);
  });

  test('every acknowledgement is for one construct and has a sentence', () => {
    const acknowledgements = acknowledgementsIn(app);
    expect(acknowledgements.length).toBeGreaterThan(0);
    for (const { path, reason } of acknowledgements) {
      expect(path.split('/').length).toBeGreaterThan(1);
      expect(reason).toMatch(/^[A-Z].{20,}\.$/);
    }
  });
});

test('a finding is seen', () => {
  const app = appWith({});
  new Bucket(app.node.findChild('Backstop') as Stack, 'Careless');
  app.synth();
  expect(findingsIn(app, { acknowledged: false })).toContainEqual({
    path: 'Backstop/Careless/Resource',
    id: 'AwsSolutions-S10',
  });
});

test('an unacknowledged finding fails the synthesis and is printed', () => {
  const outdir = mkdtempSync(join(tmpdir(), 'backstop-test-nag-'));
  // Loaded before the app: nothing counts as acknowledged.
  const nobody = `
    import { createRequire } from 'node:module';
    const { NagPack } = createRequire(${JSON.stringify(join(ROOT, 'package.json'))})('cdk-nag');
    NagPack.prototype.isAcknowledged = () => false;`;
  const preload = ['--import', `data:text/javascript,${encodeURIComponent(nobody)}`];
  const { status, stderr } = spawnSync(process.execPath, [...preload, join(ROOT, 'bin/app.ts')], {
    encoding: 'utf8',
    env: { ...process.env, CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: JSON.stringify(CONTEXT) },
  });
  rmSync(outdir, { recursive: true });
  expect(status).toBe(1);
  expect(stderr).toContain('Backstop/Functions/SnapshotRole/DefaultPolicy/Resource');
  expect(stderr).toContain('AwsSolutions-IAM5[Resource::');
});
