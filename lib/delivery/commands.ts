// A CodeBuild project of the pipeline: it runs commands in the repository, with its own role and log.
import type { Duration } from 'aws-cdk-lib';
import { BuildSpec, ComputeType, LinuxBuildImage, PipelineProject } from 'aws-cdk-lib/aws-codebuild';
import { PolicyDocument, type PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, type LogGroupProps } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { useKey, writeLogs } from '../permissions.ts';
import { readArtifacts } from './permissions.ts';

/** Resources that the projects of a pipeline share. */
export interface Workshop {
  readonly artifacts: IBucket;
  readonly logs: LogGroupProps;
  /** Encrypts artifacts and logs. Default: keys that AWS owns. */
  readonly key: IKey | undefined;
}

export interface CommandsProps {
  readonly workshop: Workshop;
  /** One sentence, shown in the console. */
  readonly description: string;
  /** Shell commands; the first that fails ends the build, and with it the execution of the pipeline. */
  readonly commands: readonly string[];
  /**
   * Variables that the commands export, for later actions of the pipeline.
   * @default - none
   */
  readonly exports?: readonly string[];
  /**
   * Permissions beyond reading the repository and writing its log.
   * @default - nothing
   */
  readonly permissions?: readonly PolicyStatement[];
  /**
   * SMALL has 2 processors and 3 GB of memory, MEDIUM has 4 and 7 GB.
   * @default SMALL
   */
  readonly computeType?: ComputeType;
  readonly timeout: Duration;
}

export class Commands extends PipelineProject {
  constructor(scope: Construct, id: string, props: CommandsProps) {
    const { workshop, description, commands, exports = [], permissions = [], timeout } = props;
    const { artifacts, logs, key } = workshop;
    const logGroup = new LogGroup(scope, `${id}Log`, logs);
    const statements = [...writeLogs(logGroup), ...readArtifacts(artifacts), ...useKey(key), ...permissions];
    const role = new Role(scope, `${id}Role`, {
      assumedBy: new ServicePrincipal('codebuild.amazonaws.com'),
      inlinePolicies: { [id]: new PolicyDocument({ statements }) },
    });
    super(scope, id, {
      description,
      // CDK would grant more.
      role: role.withoutPolicyUpdates(),
      // x64, on which the project is tested; the bundles are JavaScript, the same on every architecture. Not
      // privileged: esbuild comes with npm, so that bundling needs no Docker.
      environment: {
        buildImage: LinuxBuildImage.STANDARD_8_0,
        computeType: props.computeType ?? ComputeType.SMALL,
      },
      buildSpec: BuildSpec.fromObject({
        version: '0.2',
        ...(exports.length > 0 && { env: { 'exported-variables': exports } }),
        phases: { install: { 'runtime-versions': { nodejs: '24' } }, build: { commands } },
      }),
      timeout,
      logging: { cloudWatch: { logGroup } },
    });
  }
}
