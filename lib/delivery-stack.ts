// The pipeline that tests, deploys and runs each pushed commit, in a separate stack that it does not deploy itself.
import { Aws, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { ComputeType, type IProject } from 'aws-cdk-lib/aws-codebuild';
import { Artifact, ExecutionMode, type IAction, Pipeline, PipelineType } from 'aws-cdk-lib/aws-codepipeline';
import {
  CodeBuildAction,
  CodeStarConnectionsSourceAction,
  ManualApprovalAction,
  StateMachineInput,
  StepFunctionInvokeAction,
} from 'aws-cdk-lib/aws-codepipeline-actions';
import { type IRole, PolicyDocument, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket } from 'aws-cdk-lib/aws-s3';
import { type IStateMachine, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { BackstopStack } from './backstop-stack.ts';
import type { Settings } from './config.ts';
import { consoleOf } from './console.ts';
import { Commands, type Workshop } from './delivery/commands.ts';
import {
  assumeBootstrapRoles,
  describeExecutions,
  readArtifacts,
  readRepository,
  runExecutions,
  runProjects,
  writeArtifacts,
} from './delivery/permissions.ts';
import { useKey } from './permissions.ts';

type Delivery = NonNullable<Settings['delivery']>;

export interface DeliveryStackProps extends StackProps {
  readonly settings: Settings;
  readonly delivery: Delivery;
  /** The pipeline deploys it, and then starts its state machine. */
  readonly backstop: BackstopStack;
}

/** Longer than the seven days that an approval may take, so that what waited for one can still be tried again. */
const ARTIFACT_DAYS = 30;

/** CodePipeline allows 1,000 characters in an approval; its link leads to the rest. */
const MESSAGE_CHARACTERS = 900;

/**
 * Action → how the names of its executions begin: with a letter, since the name of a snapshot, too, is made of it.
 * CodePipeline adds a hyphen and a UUID.
 */
const EXECUTION_PREFIX = { Plan: 'plan', Migrate: 'release' } as const;

/** Left behind by the action Plan, in the namespace of its name. */
const PLAN_EXECUTION_ARN = '#{Plan.ExecutionArn}';

/** Exported by the action Summary: the checksum of the plan that was shown, and that Migrate must not differ from. */
const APPROVED_PLAN = '#{Summary.PLAN}';

export class DeliveryStack extends Stack {
  readonly #stateMachine: IStateMachine;
  readonly #workshop: Workshop;
  readonly #source = new Artifact('Source');

  constructor(scope: Construct, id: string, props: DeliveryStackProps) {
    const { settings, delivery, backstop, ...stackProps } = props;
    super(scope, id, stackProps);
    const { kmsKeyArn, logRetentionDays: retention } = settings;
    const key = kmsKeyArn === undefined ? undefined : Key.fromKeyArn(this, 'Key', kmsKeyArn);
    // By its name, not by a value of the other stack: neither deployment waits for the other.
    const { stateMachineName } = backstop;
    this.#stateMachine = StateMachine.fromStateMachineName(this, 'StateMachine', stateMachineName);
    this.#workshop = {
      artifacts: this.#createArtifacts(key),
      logs: { retention, ...(key && { encryptionKey: key }) },
      key,
    };

    const test = this.#createTest();
    const deploy = this.#createDeploy(backstop);
    const summary = delivery.approval ? this.#createSummary() : undefined;
    new Pipeline(this, 'Pipeline', {
      pipelineType: PipelineType.V2,
      // A stage holds one execution at a time. The newest waiting execution goes on and the others end: it
      // brings their revisions along, and approvers are asked once.
      executionMode: ExecutionMode.SUPERSEDED,
      artifactBucket: this.#workshop.artifacts,
      role: this.#createRole(delivery, [test, deploy, ...(summary ? [summary] : [])]),
      usePipelineRoleForActions: true,
      stages: [
        { stageName: 'Source', actions: [this.#fetch(delivery)] },
        { stageName: 'Build', actions: [this.#run('Test', test, 1)] },
        // One stage from deployment to migration, so that the approved plan runs. Between two stages
        // the next execution could deploy other revisions, while this one waits for its approval.
        {
          stageName: 'Release',
          actions: [
            this.#run('Deploy', deploy, 1),
            ...(summary ? this.#ask(summary, 2) : []),
            this.#execute('Migrate', summary ? { plan: APPROVED_PLAN } : {}, 5),
          ],
        },
      ],
    });
  }

  /** For copies of the repository on their way between actions; not versioned, since each is written once. */
  #createArtifacts(key: IKey | undefined): IBucket {
    const bucket = new Bucket(this, 'Artifacts', {
      ...(key
        ? { encryption: BucketEncryption.KMS, encryptionKey: key, bucketKeyEnabled: true }
        : { encryption: BucketEncryption.S3_MANAGED }),
      enforceSSL: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      lifecycleRules: [
        { expiration: Duration.days(ARTIFACT_DAYS), abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
    });
    // Under exactOptionalPropertyTypes CDK's own class does not fit CDK's own interface.
    return bucket as IBucket;
  }

  #createTest(): IProject {
    return new Commands(this, 'Test', {
      workshop: this.#workshop,
      description: 'Runs the tests, on a PostgreSQL that npm brings',
      commands: ['npm ci && npm test'],
      // Two workers and the server take about 4 GB.
      computeType: ComputeType.MEDIUM,
      timeout: Duration.minutes(45),
    });
  }

  #createDeploy(stack: BackstopStack): IProject {
    return new Commands(this, 'Deploy', {
      workshop: this.#workshop,
      description: 'Deploys the state machine and its functions',
      // A build cannot confirm changed permissions: everyone who may push to the branch decides on them.
      commands: [`npm ci && npx cdk deploy ${stack.node.path} --require-approval never`],
      permissions: assumeBootstrapRoles(stack),
      timeout: Duration.hours(1),
    });
  }

  #createSummary(): IProject {
    // An emoji counts as two characters in CodePipeline and as one in jq: 63 is a question mark.
    const narrow = 'explode | map(if . > 65535 then 63 else . end) | implode';
    const message = `.summary.message | split("\\n") | join(" ") | ${narrow} | .[:${MESSAGE_CHARACTERS}]`;
    return new Commands(this, 'Summary', {
      workshop: this.#workshop,
      description: 'Takes out of the plan what a person has to know before approving it',
      commands: [
        'aws stepfunctions describe-execution --execution-arn "$EXECUTION_ARN" --query output --output text > plan.json',
        // One line: an exported variable has no more. Two steps: `export` would hide the exit status of jq.
        `MESSAGE="$(jq --raw-output '${message}' plan.json)" && export MESSAGE`,
        `PLAN="$(jq --raw-output --exit-status '.plan.checksum' plan.json)" && export PLAN`,
      ],
      exports: ['MESSAGE', 'PLAN'],
      permissions: describeExecutions(this.#stateMachine, EXECUTION_PREFIX.Plan),
      timeout: Duration.minutes(10),
    });
  }

  /** One role for all actions: the pipeline could assume the role of each. */
  #createRole({ connectionArn }: Delivery, projects: readonly IProject[]): IRole {
    const { artifacts, key } = this.#workshop;
    const statements = [
      ...readRepository(connectionArn),
      ...readArtifacts(artifacts),
      ...writeArtifacts(artifacts),
      ...useKey(key),
      ...runProjects(projects),
      ...runExecutions(this.#stateMachine, Object.values(EXECUTION_PREFIX)),
    ];
    const role = new Role(this, 'PipelineRole', {
      assumedBy: new ServicePrincipal('codepipeline.amazonaws.com'),
      inlinePolicies: { pipeline: new PolicyDocument({ statements }) },
    });
    // CDK would grant more.
    return role.withoutPolicyUpdates();
  }

  #fetch({ connectionArn, repository, branch }: Delivery): IAction {
    const [owner = '', ...rest] = repository.split('/');
    return new CodeStarConnectionsSourceAction({
      actionName: 'Source',
      connectionArn,
      owner,
      repo: rest.join('/'),
      branch,
      output: this.#source,
    });
  }

  #run(actionName: string, project: IProject, runOrder: number): CodeBuildAction {
    return new CodeBuildAction({ actionName, project, input: this.#source, runOrder });
  }

  /** Asks the state machine what it would do, shows that to a person, and waits for the answer. */
  #ask(project: IProject, runOrder: number): IAction[] {
    const summary = new CodeBuildAction({
      actionName: 'Summary',
      variablesNamespace: 'Summary',
      project,
      input: this.#source,
      environmentVariables: { EXECUTION_ARN: { value: PLAN_EXECUTION_ARN } },
      runOrder: runOrder + 1,
    });
    const console = `${consoleOf(this)}/states/home?region=${Aws.REGION}`;
    return [
      this.#execute('Plan', { action: 'plan' }, runOrder),
      summary,
      new ManualApprovalAction({
        actionName: 'Approve',
        additionalInformation: summary.variable('MESSAGE'),
        externalEntityLink: `${console}#/v2/executions/details/${PLAN_EXECUTION_ARN}`,
        runOrder: runOrder + 2,
      }),
    ];
  }

  /** Starts the state machine and waits for its end, for up to seven days: any end but success stops the pipeline. */
  #execute(actionName: keyof typeof EXECUTION_PREFIX, input: object, runOrder: number): IAction {
    return new StepFunctionInvokeAction({
      actionName,
      stateMachine: this.#stateMachine,
      stateMachineInput: StateMachineInput.literal(input),
      executionNamePrefix: EXECUTION_PREFIX[actionName],
      variablesNamespace: actionName,
      runOrder,
    });
  }
}
