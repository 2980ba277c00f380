// Quotas of single properties: the sentence for each that is exceeded, and none at the limit.
import { faultsOf, list, text } from './faults.ts';

/** Type, property, sentence: the sizes are in the sentence. */
const SENTENCES = `
CloudWatch::Alarm AlarmActions: The alarm actions of the alarm Thing have 6 entries; CloudWatch allows 5: remove some.
CloudWatch::Alarm AlarmDescription: The alarm description of the alarm Thing has 1,025 characters; CloudWatch allows 1,024: shorten it.
CloudWatch::Alarm AlarmName: The alarm name of the alarm Thing has 256 characters; CloudWatch allows 255: shorten it.
CloudWatch::Dashboard DashboardName: The dashboard name of the dashboard Thing has 256 characters; CloudWatch allows 255: shorten it.
EC2::SecurityGroup GroupDescription: The group description of the security group Thing has 256 characters; EC2 allows 255: shorten it.
Events::Rule Description: The description of the rule Thing has 513 characters; EventBridge allows 512: shorten it.
Events::Rule EventPattern: The event pattern of the rule Thing has 2,049 characters; EventBridge allows 2,048: shorten it.
Events::Rule Name: The name of the rule Thing has 65 characters; EventBridge allows 64: shorten it.
Events::Rule Targets: The targets of the rule Thing have 6 entries; EventBridge allows 5: remove some.
IAM::ManagedPolicy ManagedPolicyName: The managed policy name of the managed policy Thing has 129 characters; IAM allows 128: shorten it.
IAM::Policy PolicyName: The policy name of the policy Thing has 129 characters; IAM allows 128: shorten it.
IAM::Role Description: The description of the role Thing has 1,001 characters; IAM allows 1,000: shorten it.
IAM::Role RoleName: The role name of the role Thing has 65 characters; IAM allows 64: shorten it.
Lambda::Function Description: The description of the function Thing has 257 characters; Lambda allows 256: shorten it.
Lambda::Function FunctionName: The function name of the function Thing has 65 characters; Lambda allows 64: shorten it.
Lambda::Function MemorySize: The memory size of the function Thing is 10,241 MB; Lambda allows 128 to 10,240: change it.
Lambda::Function MemorySize: The memory size of the function Thing is 127 MB; Lambda allows 128 to 10,240: change it.
Lambda::Function Timeout: The timeout of the function Thing is 901 seconds; Lambda allows 1 to 900: change it.
Lambda::Function VpcConfig.SecurityGroupIds: The security group ids of the function Thing have 6 entries; Lambda allows 5: remove some.
Lambda::Function VpcConfig.SubnetIds: The subnet ids of the function Thing have 17 entries; Lambda allows 16: write fewer privateSubnetIds into cdk.json.
Logs::LogGroup LogGroupName: The log group name of the log group Thing has 513 characters; CloudWatch Logs allows 512: shorten it.
Logs::QueryDefinition Name: The name of the query definition Thing has 256 characters; CloudWatch Logs allows 255: shorten it.
Logs::QueryDefinition QueryString: The query string of the query definition Thing has 10,001 characters; CloudWatch Logs allows 10,000: shorten it.
SNS::Topic DisplayName: The display name of the topic Thing has 101 characters; SNS allows 100: shorten it.
SNS::Topic TopicName: The topic name of the topic Thing has 257 characters; SNS allows 256: shorten it.
Scheduler::ScheduleGroup Name: The name of the schedule group Thing has 65 characters; EventBridge Scheduler allows 64: shorten it.
StepFunctions::StateMachine DefinitionString: The definition string of the state machine Thing has 1,048,577 bytes; Step Functions allows 1,048,576: shorten it.
StepFunctions::StateMachine StateMachineName: The state machine name of the state machine Thing has 81 characters; Step Functions allows 80: shorten it.
`;

/** Type, property, name, sentence. */
const NAMES = `
CloudWatch::Dashboard DashboardName 'a board': The name of the dashboard Thing is "a board"; CloudWatch allows letters, digits, hyphens and underscores: write another name.
Events::Rule Name 'a rule': The name of the rule Thing is "a rule"; EventBridge allows letters, digits, hyphens, underscores and periods: write another name.
IAM::ManagedPolicy ManagedPolicyName 'a/b': The name of the managed policy Thing is "a/b"; IAM allows letters, digits and +=,.@-_: write another name.
IAM::Policy PolicyName 'a policy': The name of the policy Thing is "a policy"; IAM allows letters, digits and +=,.@-_: write another name.
IAM::Role RoleName 'ä': The name of the role Thing is "ä"; IAM allows letters, digits and +=,.@-_: write another name.
Lambda::Function FunctionName 'a.b': The name of the function Thing is "a.b"; Lambda allows letters, digits, hyphens and underscores: write another name.
Logs::LogGroup LogGroupName 'a:b': The name of the log group Thing is "a:b"; CloudWatch Logs allows letters, digits and _-/.#: write another name.
SNS::Topic TopicName 'a.b': The name of the topic Thing is "a.b"; SNS allows letters, digits, hyphens and underscores: write another name.
Scheduler::ScheduleGroup Name 'a/b': The name of the schedule group Thing is "a/b"; EventBridge Scheduler allows letters, digits, hyphens, underscores and periods: write another name.
StepFunctions::StateMachine StateMachineName 'a b': The name of the state machine Thing is "a b"; Step Functions allows no white space and none of ?*<>{}[]"#%\\^|~\`$&,;:/: write another name.
`;

const rowsOf = (table: string, row: RegExp) =>
  table
    .trim()
    .split('\n')
    .map((line) => (row.exec(line) ?? []).slice(1) as [string, string, string, string]);

/** A resource's properties with the value at the path. */
const withValue = (path: string, value: unknown): object =>
  path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as object;

test.each(rowsOf(SENTENCES, /^(\S+) (\S+): (.*)$/))('%s, %s', (type, property, sentence) => {
  const [excess = 0, ...limits] = (sentence.match(/\d[\d,]*/g) ?? []).map((number) =>
    Number(number.replaceAll(',', '')),
  );
  const faults = (size: number) => {
    const value = / is \d/.test(sentence)
      ? size
      : sentence.includes('entries')
        ? list(size, String)
        : text(size);
    return faultsOf(`AWS::${type}`, withValue(property, value)).filter((fault) => fault.includes('Thing'));
  };
  expect(faults(excess)).toEqual([sentence]);
  expect(limits.length).toBeGreaterThan(0);
  for (const limit of limits) expect(faults(limit)).toEqual([]);
});

test.each(rowsOf(NAMES, /^(\S+) (\S+) '(.*?)': (.*)$/))(
  '%s, %s with the wrong name %s',
  (type, property, name, sentence) => {
    expect(faultsOf(`AWS::${type}`, { [property]: name })).toEqual([sentence]);
  },
);

test('an event pattern is measured as JSON, a definition in bytes, other texts in characters', () => {
  expect(faultsOf('AWS::Events::Rule', { EventPattern: { a: text(2041) } })[0]).toContain(
    'has 2,049 characters',
  );
  const definition = { DefinitionString: `ü${text(1_048_575)}` };
  expect(faultsOf('AWS::StepFunctions::StateMachine', definition).join()).toContain('has 1,048,577 bytes');
  expect(faultsOf('AWS::Lambda::Function', { Description: '😀'.repeat(256) })).toEqual([]);
});

test('a name that CloudFormation puts together is only measured', () => {
  const name = { 'Fn::Join': ['', [{ Ref: 'AWS::StackId' }, ' ']] };
  expect(faultsOf('AWS::CloudWatch::Dashboard', { DashboardName: name })).toEqual([]);
});
