// The local AWS: one HTTP endpoint for all its services, to which AWS_ENDPOINT_URL points the AWS SDK.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { LocalServer } from '../server.ts';
import { ACCOUNT, type AwsFault, AwsFaultError, type LocalAccount } from './account.ts';
import { describeDenial, isAllowed, type Need, type Role } from './iam.ts';
import { type AwsRequest, type Service, serviceOf } from './services.ts';
import { emptySurroundings } from './surroundings.ts';

export type { AwsFault, LocalInstance, StoredSnapshot } from './account.ts';
export type { AwsRequest } from './services.ts';

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
    surroundings: emptySurroundings(ACCOUNT),
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
