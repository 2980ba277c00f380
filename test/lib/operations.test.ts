// The tools of an operator: notifications, alarms, and a dashboard and queries that read existing metrics and fields.
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { readRefusals } from '../../lambda/migrator/revisions/databases.ts';
import { asText, LAST_ERRORS, QUERIES } from '../../lib/operations/queries.ts';
import { MIGRATIONS } from '../../lib/paths.ts';
import { makeTwin } from '../machine/twin.ts';
import { synthesizeTemplate } from './synthesized.ts';

const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555';

let template: Template;
beforeAll(() => {
  template = synthesizeTemplate();
});

/** The logical id of the one resource of a type whose id begins with the construct's path. */
function idOf(type: string, prefix: string, within = template): string {
  const ids = Object.keys(within.findResources(type)).filter((id) => id.startsWith(prefix));
  expect(ids).toHaveLength(1);
  return String(ids[0]);
}
const topic = () => ({ Ref: idOf('AWS::SNS::Topic', 'OperationsTopic') });
const machine = () => ({ Ref: idOf('AWS::StepFunctions::StateMachine', 'StateMachine') });
const notifyId = () => idOf('AWS::Lambda::Function', 'OperationsNotify');

/** Action → resource, for each permission of Notify. */
function permissionsOf(within: Template): [string, unknown][] {
  const id = idOf('AWS::IAM::Policy', 'OperationsNotifyRoleDefaultPolicy', within);
  const statements: { Action: string | string[]; Resource: unknown }[] =
    within.findResources('AWS::IAM::Policy')[id]?.Properties.PolicyDocument.Statement;
  return statements.flatMap(({ Action, Resource }) =>
    [Action].flat().map((action): [string, unknown] => [action, Resource]),
  );
}

describe('every ending', () => {
  test('of this state machine, and of no other, calls Notify', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      State: 'ENABLED',
      EventPattern: {
        source: ['aws.states'],
        'detail-type': ['Step Functions Execution Status Change'],
        detail: { stateMachineArn: [machine()], status: ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'] },
      },
      Targets: [{ Arn: { 'Fn::GetAtt': [notifyId(), 'Arn'] }, Id: Match.anyValue() }],
    });
    template.hasResourceProperties('AWS::Lambda::Permission', {
      Action: 'lambda:InvokeFunction',
      FunctionName: { 'Fn::GetAtt': [notifyId(), 'Arn'] },
      Principal: 'events.amazonaws.com',
      SourceArn: { 'Fn::GetAtt': [idOf('AWS::Events::Rule', 'OperationsEnded'), 'Arn'] },
    });
  });

  test('is reported to the topic, and Notify may do nothing but look back and publish', () => {
    template.hasResourceProperties('AWS::Lambda::Function', {
      Timeout: 60,
      VpcConfig: Match.absent(),
      Environment: {
        Variables: Match.objectLike({
          BACKSTOP_TOPIC_ARN: topic(),
          BACKSTOP_REFUSALS: JSON.stringify(readRefusals(MIGRATIONS)),
        }),
      },
      Description: 'Reports how an execution ended',
    });
    const permissions = permissionsOf(template);
    expect(permissions.map(([action]) => action)).toEqual([
      'logs:CreateLogStream',
      'logs:PutLogEvents',
      'states:DescribeExecution',
      'states:GetExecutionHistory',
      'sns:Publish',
    ]);
    expect(permissions.find(([action]) => action === 'sns:Publish')?.[1]).toEqual(topic());
    const executions = JSON.stringify(Object.fromEntries(permissions)['states:GetExecutionHistory']);
    expect(executions).toContain(`":execution:",{"Fn::GetAtt":["${machine().Ref}","Name"]},":*"`);
  });
});

describe('the topic', () => {
  test('refuses requests without TLS, and admits the alarms of this account', () => {
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      Topics: [topic()],
      PolicyDocument: {
        Statement: [
          Match.objectLike({
            Effect: 'Deny',
            Principal: '*',
            Action: 'sns:Publish',
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
          {
            Sid: 'Alarms',
            Effect: 'Allow',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Action: 'sns:Publish',
            Resource: topic(),
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
          },
        ],
      },
    });
  });

  test('has the configured e-mail address, and no subscriber by default', () => {
    template.resourceCountIs('AWS::SNS::Subscription', 0);
    const told = synthesizeTemplate({ notificationEmail: 'on-call@example.org' });
    told.resourceCountIs('AWS::SNS::Subscription', 1);
    told.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: 'on-call@example.org',
      TopicArn: { Ref: idOf('AWS::SNS::Topic', 'OperationsTopic', told) },
    });
  });

  test('is encrypted with the key that is configured, which Notify may use, and with no other', () => {
    template.hasResourceProperties('AWS::SNS::Topic', { KmsMasterKeyId: Match.absent() });
    const encrypted = synthesizeTemplate({ kmsKeyArn: KEY });
    encrypted.hasResourceProperties('AWS::SNS::Topic', { KmsMasterKeyId: KEY });
    const used = permissionsOf(encrypted).filter(([action]) => action.startsWith('kms:'));
    expect(new Set(used.map(([action]) => action))).toEqual(new Set(['kms:Decrypt', 'kms:GenerateDataKey']));
    expect(new Set(used.map(([, resource]) => resource))).toEqual(new Set([KEY]));
  });

  test('and the dashboard are found in the outputs', () => {
    template.hasOutput('TopicArn', { Value: topic() });
    const [output] = Object.values(template.findOutputs('DashboardUrl'));
    expect(JSON.stringify(output?.Value)).toContain(
      idOf('AWS::CloudWatch::Dashboard', 'OperationsDashboard'),
    );
    expect(Object.values(template.findMappings('*'))[0]).toMatchObject({
      'aws-cn': { host: 'console.amazonaws.cn' },
    });
  });
});

describe('the alarms', () => {
  test.each([
    ['ExecutionFailed', 'ExecutionsFailed', 'Sum', 1, 'reported'],
    ['ExecutionTimedOut', 'ExecutionsTimedOut', 'Sum', 1, 'reported'],
    ['ExecutionAborted', 'ExecutionsAborted', 'Sum', 1, 'reported'],
    ['ExecutionThrottled', 'ExecutionThrottled', 'Sum', 1, 'not reported'],
    // 80 % of four hours, in ms.
    ['ExecutionNearLimit', 'ExecutionTime', 'Maximum', 11_520_000, 'not reported'],
  ])(
    '%s watches the state machine, and is a second message of nothing',
    (id, metric, statistic, threshold, otherwise) => {
      const alarms = template.findResources('AWS::CloudWatch::Alarm');
      const alarm = alarms[idOf('AWS::CloudWatch::Alarm', `Operations${id}`)]?.Properties;
      expect(alarm).toMatchObject({
        Namespace: 'AWS/States',
        MetricName: metric,
        Dimensions: [{ Name: 'StateMachineArn', Value: machine() }],
        Statistic: statistic,
        Threshold: threshold,
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
        EvaluationPeriods: 1,
        TreatMissingData: 'notBreaching',
        ...(otherwise === 'not reported' && { AlarmActions: [topic()] }),
        AlarmDescription: expect.stringMatching(/^.{80,1000} See docs\/runbook\.md\.$/),
      });
      if (otherwise === 'reported') expect(alarm).not.toHaveProperty('AlarmActions');
    },
  );

  test('report an ending without a notification', () => {
    const named = (Name: string, Value: string) => [{ Name, Value: { Ref: Value } }];
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      Threshold: 1,
      AlarmActions: [topic()],
      TreatMissingData: 'notBreaching',
      Metrics: Match.arrayWith([
        Match.objectLike({ Expression: 'FILL(failed, 0) + FILL(uncalled, 0)', ReturnData: true }),
        Match.objectLike({
          Id: 'failed',
          MetricStat: Match.objectLike({
            Stat: 'Sum',
            Metric: {
              Namespace: 'AWS/Lambda',
              MetricName: 'Errors',
              Dimensions: named('FunctionName', notifyId()),
            },
          }),
        }),
        Match.objectLike({
          Id: 'uncalled',
          MetricStat: Match.objectLike({
            Stat: 'Sum',
            Metric: {
              Namespace: 'AWS/Events',
              MetricName: 'FailedInvocations',
              Dimensions: named('RuleName', idOf('AWS::Events::Rule', 'OperationsEnded')),
            },
          }),
        }),
      ]),
    });
  });

  test('are six by default; switched off, CloudWatch may not publish either', () => {
    template.resourceCountIs('AWS::CloudWatch::Alarm', 6);
    const silent = synthesizeTemplate({ alarms: false });
    silent.resourceCountIs('AWS::CloudWatch::Alarm', 0);
    expect(JSON.stringify(silent.findResources('AWS::SNS::TopicPolicy'))).not.toContain('cloudwatch');
  });
});

describe('the dashboard', () => {
  interface Widget {
    readonly type: string;
    readonly properties: {
      readonly title: string;
      readonly query?: string;
      readonly metrics?: unknown[];
      readonly yAxis?: { readonly left: { readonly label: string } };
    };
  }

  function widgets(): Widget[] {
    const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
    const parts: unknown[] = dashboard?.Properties.DashboardBody['Fn::Join'][1];
    return JSON.parse(parts.map((part) => (typeof part === 'string' ? part : 'token')).join('')).widgets;
  }

  test('graphs every metric of the functions, by database and step or ending', () => {
    const searched = [
      ...JSON.stringify(widgets()).matchAll(/SEARCH\('(\{[\w,]+\}) MetricName=\\+"(\w+)/g),
    ].map(([, dimensions, name]) => [name, dimensions]);
    const byStep = '{Backstop,service,database,step}';
    expect(Object.fromEntries(searched)).toEqual({
      Endings: '{Backstop,service,database,ending}',
      Duration: byStep,
      SnapshotDuration: byStep,
      RunDuration: byStep,
      ExclusiveLock: byStep,
      Attempts: byStep,
      RowsWritten: byStep,
      WalWritten: byStep,
      FailedChecks: byStep,
    });
  });

  test('has a title on each widget, and a unit on each graph', () => {
    for (const { type, properties } of widgets()) {
      expect(properties.title).toMatch(/^[A-Z][a-z]/);
      if (type === 'metric') expect(properties.yAxis?.left.label).toMatch(/^[a-z]+$/);
    }
  });

  test('shows how executions ended, and the last errors of the functions', () => {
    const status = widgets().find(({ properties }) => properties.title === 'Executions by status');
    const names = ['ExecutionsSucceeded', 'ExecutionsFailed', 'ExecutionsTimedOut', 'ExecutionsAborted'];
    for (const name of names) expect(JSON.stringify(status)).toContain(`"${name}"`);
    const log = widgets().find(({ type }) => type === 'log');
    expect(log?.properties.query).toBe(`SOURCE 'token' | ${asText(LAST_ERRORS)}`);
  });
});

describe('the saved queries', () => {
  const KEYWORDS =
    /^(fields|filter|sort|limit|stats|by|as|in|and|or|like|desc|asc|ispresent|coalesce|count|max|avg)$/;

  /** The fields that a query reads: all its words that are no texts, patterns, keywords, numbers or names it gives. */
  function fieldsOf(query: string): string[] {
    const words = query.replace(/"[^"]*"|\/(\\.|[^/])+\//g, '').match(/[@A-Za-z][\w.]*/g) ?? [];
    const given = new Set([...query.matchAll(/ as (\w+)/g)].map(([, name]) => name));
    return words.filter((word) => !KEYWORDS.test(word) && !given.has(word) && !word.startsWith('@'));
  }

  /** The paths of all values in a line, as Logs Insights names them. */
  function paths(value: unknown, path = ''): string[] {
    if (typeof value !== 'object' || value === null) return [path];
    return Object.entries(value).flatMap(([key, inner]) => paths(inner, path ? `${path}.${key}` : key));
  }

  let known: Set<string>;
  beforeAll(async () => {
    await using twin = await makeTwin();
    const runs = [await twin.execute({ snapshot: false }), await twin.execute({ action: 'jump' })];
    const lines = runs.flatMap(({ events }) =>
      events.flatMap((event) => (event.type === 'log' ? [event.line] : [])),
    );
    known = new Set(lines.flatMap((line) => paths(line)));
  });

  test.each([
    ['The last errors', LAST_ERRORS],
    ...Object.values(QUERIES).map(({ name, query }) => [name, query]),
  ])('%s reads fields that the log has', (_, query) => {
    const fields = fieldsOf(asText(query as string[]));
    expect(fields.length).toBeGreaterThan(0);
    expect(fields.filter((field) => !known.has(field))).toEqual([]);
  });

  test('ask the log of the functions, and have their own folder', () => {
    template.resourceCountIs('AWS::Logs::QueryDefinition', Object.keys(QUERIES).length);
    template.allResourcesProperties('AWS::Logs::QueryDefinition', {
      Name: Match.stringLikeRegexp('^Backstop/[A-Z]'),
      LogGroupNames: [{ Ref: idOf('AWS::Logs::LogGroup', 'FunctionLog') }],
    });
  });
});

test('the whole stack stays under 200 resources', () => {
  const { Resources } = synthesizeTemplate({ notificationEmail: 'on-call@example.org' }).toJSON();
  expect(Object.keys(Resources).length).toBeLessThan(200);
});
