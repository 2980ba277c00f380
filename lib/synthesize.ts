// The stack synthesised in this process, without the CDK command line: for the local twin and for tests.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import type { CloudAssembly } from 'aws-cdk-lib/cx-api';
import { BackstopStack } from './backstop-stack.ts';
import { type BackstopProps, parseConfig } from './config.ts';
import { ROOT } from './paths.ts';

/** The name of the stack, and of its artifact in the assembly. */
export const STACK = 'Backstop';

/** Adds the stack to an app, configured by the app's context. */
export function addBackstop(app: App): BackstopStack {
  return new BackstopStack(app, STACK, { settings: parseConfig(app.node.tryGetContext('backstop')) });
}

/**
 * Synthesises what cdk.json configures into `outdir`; each of `overrides` replaces a key of that configuration.
 * Progress goes to standard error, nothing to standard output.
 * @throws ConfigurationError
 */
export function synthesize(outdir: string, overrides: Partial<BackstopProps> = {}): CloudAssembly {
  const { context } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'));
  const backstop = { ...context.backstop, ...overrides };
  const app = new App({ outdir, context: { ...context, backstop }, analyticsReporting: false });
  addBackstop(app);
  return app.synth();
}
