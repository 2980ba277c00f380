// The services of the local AWS: how the requests of each are read, what they need, and who answers them.
import type { IncomingMessage } from 'node:http';
import type { LocalServer } from '../server.ts';
import { type AwsFault, AwsFaultError, type LocalAccount } from './account.ts';
import { callCloudFormation } from './cloudformation.ts';
import { callEc2 } from './ec2.ts';
import type { Need } from './iam.ts';
import { callKms } from './kms.ts';
import { callLambda } from './lambda.ts';
import { rdsNeeds, schedulerNeeds, secretsManagerNeeds } from './needs.ts';
import { EC2_QUERY, jsonProtocol, type Protocol, queryProtocol, REST_JSON } from './protocols.ts';
import { callRds } from './rds.ts';
import { callScheduler } from './scheduler.ts';
import { callSecretsManager } from './secrets-manager.ts';
import { callSns } from './sns.ts';
import { callSsm } from './ssm.ts';
import { callStates } from './states.ts';
import { callSts } from './sts.ts';

export interface AwsRequest {
  readonly action: string;
  /** As sent: in RDS's Query protocol a list is flat, e.g. `Tags.Tag.1.Key`. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** A service of AWS. */
export interface Service {
  readonly protocol: Protocol;
  /** The error of a call that IAM denies. */
  readonly denied: Pick<AwsFault, 'code' | 'httpStatus'>;
  needs(account: LocalAccount, request: AwsRequest): Need[];
  read(incoming: IncomingMessage, body: string): AwsRequest;
  /** @param restored collects the servers that a restore starts */
  call(account: LocalAccount, restored: Promise<LocalServer>[], request: AwsRequest): object;
}

const DENIED = { code: 'AccessDeniedException', httpStatus: 400 };
const QUERY_DENIED = { code: 'AccessDenied', httpStatus: 403 };

/** In both variants of the Query protocol. */
function readForm(_: IncomingMessage, body: string): AwsRequest {
  const { Action = '', Version: _version, ...parameters } = Object.fromEntries(new URLSearchParams(body));
  return { action: Action, parameters };
}

function readTarget({ headers }: IncomingMessage, body: string): AwsRequest {
  const action = String(headers['x-amz-target']).split('.').at(-1) ?? '';
  return { action, parameters: JSON.parse(body) };
}

/** A service that only `npx backstop doctor` calls: its calls are judged without their resource. */
function asked(
  name: string,
  answer: (account: LocalAccount, action: string, parameters: AwsRequest['parameters']) => object | undefined,
  rest: Pick<Service, 'protocol' | 'denied' | 'read'>,
): Service {
  return {
    ...rest,
    needs: (_, { action }) => [{ action: `${name}:${action}`, resource: '*', context: {} }],
    call: (account, _, { action, parameters }) => {
      const result = answer(account, action, parameters);
      if (result) return result;
      throw new AwsFaultError({ code: 'InvalidAction', message: `The local twin of AWS has no ${action}.` });
    },
  };
}

const query = (namespace: string) =>
  ({ protocol: queryProtocol(namespace), denied: QUERY_DENIED, read: readForm }) as const;
const json = (version: string) =>
  ({ protocol: jsonProtocol(version), denied: DENIED, read: readTarget }) as const;

const RDS: Service = {
  ...query('http://rds.amazonaws.com/doc/2014-10-31/'),
  needs: (account, { action, parameters }) => rdsNeeds(account, action, parameters),
  call: (account, restored, { action, parameters }) => callRds(account, restored, action, parameters),
};

const SECRETS_MANAGER: Service = {
  ...json('1.1'),
  needs: (account, { action, parameters }) => secretsManagerNeeds(account, action, parameters),
  call: (account, _, { action, parameters }) => callSecretsManager(account, action, parameters),
};

const SCHEDULER: Service = {
  protocol: REST_JSON,
  denied: { ...DENIED, httpStatus: 403 },
  needs: (_, { action, parameters }) => schedulerNeeds(action, parameters),
  read: ({ method, url = '' }, body) => ({
    action: method === 'PUT' ? 'UpdateSchedule' : 'CreateSchedule',
    parameters: { ...JSON.parse(body), Name: decodeURIComponent(url.split('/').at(-1) ?? '') },
  }),
  call: (account, _, { action, parameters }) => callScheduler(account, action, parameters),
};

/** By the name with which a request is signed. */
const SERVICES: Readonly<Record<string, Service>> = {
  rds: RDS,
  secretsmanager: SECRETS_MANAGER,
  scheduler: SCHEDULER,
  // Every caller may ask who it is.
  sts: { ...asked('sts', callSts, query('https://sts.amazonaws.com/doc/2011-06-15/')), needs: () => [] },
  ec2: asked('ec2', callEc2, {
    protocol: EC2_QUERY,
    denied: { code: 'UnauthorizedOperation', httpStatus: 403 },
    read: readForm,
  }),
  ssm: asked('ssm', callSsm, json('1.1')),
  kms: asked('kms', callKms, json('1.1')),
  lambda: asked('lambda', callLambda, {
    protocol: REST_JSON,
    denied: { ...DENIED, httpStatus: 403 },
    read: () => ({ action: 'GetAccountSettings', parameters: {} }),
  }),
  cloudformation: asked(
    'cloudformation',
    callCloudFormation,
    query('http://cloudformation.amazonaws.com/doc/2010-05-15/'),
  ),
  sns: asked('sns', callSns, query('http://sns.amazonaws.com/doc/2010-03-31/')),
  states: asked('states', callStates, json('1.0')),
};

/** The service that a request is signed for. A request without a signature goes to RDS. */
export function serviceOf({ headers }: IncomingMessage): Service {
  const scope = /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\/aws4_request/.exec(headers.authorization ?? '');
  return SERVICES[scope?.[1] ?? ''] ?? RDS;
}
