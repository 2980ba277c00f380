// Parts of the template that must not change unseen: the logical ids by which CloudFormation knows its resources, and
// every permission, time limit and retry. A change is reviewed in the snapshot beside this file, and written with
// `npm test -- test/lib/contract -u`.
import type { Template } from 'aws-cdk-lib/assertions';
import type { BackstopProps } from '../../lib/config.ts';
import { DELIVERY_STACK, STACK } from '../../lib/synthesize.ts';
import { appWith, EVERYTHING, templateOf } from './apps.ts';
import { definitionOf } from './synthesized.ts';

const CONFIGURATIONS: [string, Partial<BackstopProps>, string][] = [
  ['the state machine, with the required props alone', {}, STACK],
  ['the state machine, with everything', EVERYTHING, STACK],
  ['the pipeline', EVERYTHING, DELIVERY_STACK],
];

describe.each(CONFIGURATIONS)('%s', (_, overrides, stack) => {
  let template: Template;
  beforeAll(() => {
    template = templateOf(appWith(overrides), stack);
  });

  test('keeps its logical ids', () => {
    const resources: Record<string, { Type: string }> = template.toJSON().Resources;
    // The id of a version ends with a hash of its code and configuration.
    const ids = Object.keys(resources).map((id) =>
      id.replace(/(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}$/, '$1'),
    );
    const types = Object.values(resources).map(({ Type }) => Type);
    expect(ids.map((id, n) => `${types[n]} ${id}`)).toMatchSnapshot();
  });

  test('is far below the limit of CloudFormation', () => {
    expect(Object.keys(template.toJSON().Resources).length).toBeLessThan(200);
  });

  test('keeps its permissions', () => {
    expect(grants(template)).toMatchSnapshot();
  });
});

test('the Tasks keep their time limits and their retries', () => {
  const template = templateOf(appWith({}), STACK);
  const functions = template.findResources('AWS::Lambda::Function');
  const tasks = Object.entries(definitionOf(template).States).filter(([, { Type }]) => Type === 'Task');
  const lines = tasks.map(([name, { Resource, TimeoutSeconds, Retry = [] }]) => ({
    [name]: {
      function: functions[Resource?.split(':').at(-1) ?? '']?.Properties.Timeout,
      task: TimeoutSeconds,
      retry: Retry.map((retry) => JSON.stringify(retry)),
    },
  }));
  expect(Object.assign({}, ...lines)).toMatchSnapshot();
});

interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource?: unknown;
  readonly Principal?: unknown;
  readonly Condition?: unknown;
}

/** Who may do what, a line a statement. */
function grants(template: Template): Record<string, string[]> {
  const resources: Record<string, { Properties?: Record<string, unknown> }> = template.toJSON().Resources;
  const entries = Object.entries(resources).map(([id, { Properties = {} }]) => [id, documentsIn(Properties)]);
  return Object.fromEntries(entries.filter(([, lines]) => (lines as string[]).length > 0));
}

/** The statements of every policy document in the properties of a resource, at any depth. */
function documentsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('Statement' in value) return (value.Statement as Statement[]).map(inOneLine);
  return Object.values(value).flatMap(documentsIn);
}

function inOneLine({ Effect, Action, Resource, Principal, Condition }: Statement): string {
  return [
    Principal !== undefined && readable(Principal),
    Effect,
    [Action].flat().join(', '),
    Resource !== undefined && `on ${[Resource].flat().map(readable).join(', ')}`,
    Condition !== undefined && `if ${readable(Condition)}`,
  ]
    .filter(Boolean)
    .join(' ');
}

/** A value of the template in one line, intrinsic functions as `<…>`. */
function readable(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(plain(value)).replaceAll('"', '');
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  if ('Ref' in value) return `<${value.Ref}>`;
  if ('Fn::GetAtt' in value) return `<${(value['Fn::GetAtt'] as string[]).join('.')}>`;
  if ('Fn::Join' in value) return (value['Fn::Join'] as [string, unknown[]])[1].map(plain).join('');
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
