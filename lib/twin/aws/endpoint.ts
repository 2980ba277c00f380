// The local AWS: one HTTP endpoint for RDS, Secrets Manager and EventBridge Scheduler, to which AWS_ENDPOINT_URL_… points the AWS SDK.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { XMLBuilder } from 'fast-xml-parser';
import type { LocalServer } from '../server.ts';
import { ACCOUNT, type AwsFault, AwsFaultError, type LocalAccount } from './account.ts';
import { describeDenial, isAllowed, type Need, type Role } from './iam.ts';
import { rdsNeeds, schedulerNeeds, secretsManagerNeeds } from './needs.ts';
import { callRds } from './rds.ts';
import { callScheduler } from './scheduler.ts';
import { callSecretsManager } from './secrets-manager.ts';

export type { AwsFault, LocalInstance, StoredSnapshot } from './account.ts';

export interface AwsRequest {
  readonly action: string;
  /** As sent: in RDS's Query protocol a list is flat, e.g. `Tags.Tag.1.Key`. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** One need of a request, judged by the role of its caller. */
export interface Judgement {
  readonly role: Role;
  readonly need: Need;
  readonly isAllowed: boolean;
}

export interface AwsEndpoint extends LocalAccount {
  readonly url: string;
  /** Everything that was asked, in order. */
  readonly requests: AwsRequest[];
  /** The roles of the functions, by their access keys. Any other access key is the administrator's, who may do everything. */
  readonly roles: Map<string, Role>;
  /** Each need that was judged so far, in order. */
  readonly judged: Judgement[];
  /** Called before each action; the fault it returns is answered in the action's place. */
  onRequest: ((request: AwsRequest) => AwsFault | undefined | Promise<AwsFault | undefined>) | undefined;
  /** Ends the endpoint and the servers that it restored; the given servers in `instances` go on. */
  stop(): Promise<void>;
}

/** Starts on a free port of 127.0.0.1, with an empty account. Signatures are not checked, only whose access key it is. */
export async function startAwsEndpoint(): Promise<AwsEndpoint> {
  const restored: Promise<LocalServer>[] = [];
  const http = createServer((request, response) => answer(endpoint, restored, request, response));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');

  const endpoint: AwsEndpoint = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    instances: new Map(),
    snapshots: new Map(),
    tags: new Map(),
    secrets: new Map(),
    secretKeys: new Map(),
    schedules: new Map(),
    snapshotQuota: 100,
    lag: { newSnapshot: 0, tags: 0, status: 0 },
    statuses: new Map(),
    requests: [],
    roles: new Map(),
    judged: [],
    onRequest: undefined,
    async stop() {
      http.close();
      http.closeAllConnections();
      const servers = await Promise.allSettled(restored);
      for (const server of servers) if (server.status === 'fulfilled') await server.value.stop();
    },
  };
  return endpoint;
}

/** The form in which a service wants its answers. */
interface Protocol {
  readonly contentType: string;
  result(action: string, result: object): string;
  fault(fault: AwsFault): string;
}

const xml = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@' });

const QUERY: Protocol = {
  contentType: 'text/xml',
  result: (action, result) =>
    xml.build({
      [`${action}Response`]: {
        '@xmlns': 'http://rds.amazonaws.com/doc/2014-10-31/',
        [`${action}Result`]: result,
        ResponseMetadata: { RequestId: randomUUID() },
      },
    }),
  fault: ({ code, message, httpStatus = 400 }) =>
    xml.build({
      ErrorResponse: {
        Error: { Type: httpStatus < 500 ? 'Sender' : 'Receiver', Code: code, Message: message },
        RequestId: randomUUID(),
      },
    }),
};

const JSON_1_1: Protocol = {
  contentType: 'application/x-amz-json-1.1',
  result: (_action, result) => JSON.stringify(result),
  fault: ({ code, message }) => JSON.stringify({ __type: code, message }),
};

const REST_JSON: Protocol = {
  contentType: 'application/json',
  result: (_action, result) => JSON.stringify(result),
  fault: ({ code, message }) => JSON.stringify({ __type: code, Message: message }),
};

/** A service of AWS: how its requests read, and who answers them. */
interface Service {
  readonly protocol: Protocol;
  /** The error of a call that IAM denies. */
  readonly denied: Pick<AwsFault, 'code' | 'httpStatus'>;
  needs(account: LocalAccount, request: AwsRequest): Need[];
  read(incoming: IncomingMessage, body: string): AwsRequest;
  call(endpoint: AwsEndpoint, restored: Promise<LocalServer>[], request: AwsRequest): object;
}

const RDS: Service = {
  protocol: QUERY,
  denied: { code: 'AccessDenied', httpStatus: 403 },
  needs: (account, { action, parameters }) => rdsNeeds(account, action, parameters),
  read: (_, body) => {
    const { Action = '', Version: _version, ...parameters } = Object.fromEntries(new URLSearchParams(body));
    return { action: Action, parameters };
  },
  call: (endpoint, restored, { action, parameters }) => callRds(endpoint, restored, action, parameters),
};

const SECRETS_MANAGER: Service = {
  protocol: JSON_1_1,
  denied: { code: 'AccessDeniedException', httpStatus: 400 },
  needs: (account, { action, parameters }) => secretsManagerNeeds(account, action, parameters),
  read: ({ headers }, body) => ({
    action: String(headers['x-amz-target']).split('.').at(-1) ?? '',
    parameters: JSON.parse(body),
  }),
  call: (endpoint, _, { action, parameters }) => callSecretsManager(endpoint, action, parameters),
};

const SCHEDULER: Service = {
  protocol: REST_JSON,
  denied: { code: 'AccessDeniedException', httpStatus: 403 },
  needs: (_, { action, parameters }) => schedulerNeeds(action, parameters),
  read: ({ method, url = '' }, body) => ({
    action: method === 'PUT' ? 'UpdateSchedule' : 'CreateSchedule',
    parameters: { ...JSON.parse(body), Name: decodeURIComponent(url.split('/').at(-1) ?? '') },
  }),
  call: (endpoint, _, { action, parameters }) => callScheduler(endpoint, action, parameters),
};

function serviceOf({ headers, url = '' }: IncomingMessage): Service {
  if (headers['x-amz-target']) return SECRETS_MANAGER;
  return url.startsWith('/schedules/') ? SCHEDULER : RDS;
}

/** Reads the action and the parameters out of an HTTP request. */
export function readRequest(incoming: IncomingMessage, body: string): AwsRequest {
  return serviceOf(incoming).read(incoming, body);
}

async function answer(
  endpoint: AwsEndpoint,
  restored: Promise<LocalServer>[],
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const service = serviceOf(incoming);
  const { protocol } = service;
  const send = (status: number, body: string) =>
    response.writeHead(status, { 'content-type': protocol.contentType }).end(body);
  try {
    const request = service.read(incoming, await text(incoming));
    endpoint.requests.push(request);
    authorize(endpoint, service, request, incoming);
    const fault = await endpoint.onRequest?.(request);
    if (fault) throw new AwsFaultError(fault);
    send(200, protocol.result(request.action, service.call(endpoint, restored, request)));
  } catch (error) {
    const fault =
      error instanceof AwsFaultError
        ? error
        : { code: 'InternalFailure', message: String(error), httpStatus: 500 };
    send(fault.httpStatus, protocol.fault(fault));
  }
}

/** @throws AwsFaultError if the role of the caller does not allow all that the request needs */
function authorize(
  endpoint: AwsEndpoint,
  service: Service,
  request: AwsRequest,
  { headers }: IncomingMessage,
): void {
  const [, accessKey = ''] = /Credential=([^/]+)\//.exec(headers.authorization ?? '') ?? [];
  const role = endpoint.roles.get(accessKey);
  if (role === undefined) return;
  for (const need of service.needs(endpoint, request)) {
    const judgement = { role, need, isAllowed: isAllowed(role, need) };
    endpoint.judged.push(judgement);
    if (!judgement.isAllowed)
      throw new AwsFaultError({ ...service.denied, message: describeDenial(role, need, ACCOUNT) });
  }
}
