// The stack for tests, synthesized without bundling, since only the bundles take time.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { BackstopProps } from '../../lib/config.ts';
import { ROOT } from '../../lib/paths.ts';
import { addBackstop } from '../../lib/synthesize.ts';

const { context } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'));

/** The configuration that cdk.json gives as an example. */
export const EXAMPLE: BackstopProps = context.backstop;

export function synthesizeTemplate(overrides: Partial<BackstopProps> = {}): Template {
  const backstop = { ...EXAMPLE, ...overrides };
  const outdir = mkdtempSync(join(assemblies, 'cdk-'));
  return Template.fromStack(
    addBackstop(new App({ outdir, context: { ...context, backstop, 'aws:cdk:bundling-stacks': [] } })),
  );
}

const assemblies = mkdtempSync(join(tmpdir(), 'backstop-test-cdk-'));
afterAll(() => rmSync(assemblies, { recursive: true }));

/** The fields of a state that tests read; they depend on its type. */
export interface StateDefinition {
  readonly Type: 'Task' | 'Pass' | 'Choice' | 'Wait' | 'Succeed' | 'Fail';
  readonly Comment?: string;
  readonly Next?: string;
  readonly Default?: string;
  readonly Choices?: readonly { readonly Next: string }[];
  readonly Resource?: string;
  readonly TimeoutSeconds?: number;
  readonly Retry?: readonly {
    readonly ErrorEquals: readonly string[];
    readonly MaxAttempts?: number;
    readonly JitterStrategy?: string;
  }[];
  readonly Seconds?: number;
  readonly Catch?: readonly {
    readonly ErrorEquals: readonly string[];
    readonly ResultPath: string;
    readonly Next: string;
  }[];
  readonly Error?: string;
  readonly ErrorPath?: string;
  readonly Cause?: string;
  readonly CausePath?: string;
}

export interface Definition {
  readonly Comment: string;
  readonly StartAt: string;
  readonly TimeoutSeconds: number;
  readonly States: Readonly<Record<string, StateDefinition>>;
}

/** The definition out of the template; the ARN of a version ends with the logical id of its function there. */
export function definitionOf(template: Template): Definition {
  const [machine] = Object.values(template.findResources('AWS::StepFunctions::StateMachine'));
  const parts: (string | { Ref: string })[] = machine?.Properties.DefinitionString['Fn::Join'][1];
  const versions = template.findResources('AWS::Lambda::Version');
  const arn = (version: string) =>
    `arn:aws:lambda:eu-central-1:111122223333:function:${versions[version]?.Properties.FunctionName.Ref}`;
  return JSON.parse(parts.map((part) => (typeof part === 'string' ? part : arn(part.Ref))).join(''));
}

/** All states that may follow a state, by any way. */
export function successors({ Next, Default, Choices = [], Catch = [] }: StateDefinition): string[] {
  const ways = [Next, Default, ...[...Choices, ...Catch].map((way) => way.Next)];
  return ways.filter((name) => name !== undefined);
}
