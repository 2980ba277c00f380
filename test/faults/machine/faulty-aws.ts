// A proxy before the local AWS that breaks the protocol: it resets connections and sends invalid answers.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { readRequest } from '../../../lib/twin/aws/endpoint.ts';

export interface AwsDisturbance {
  readonly action: string;
  readonly does: 'reset' | 'garble';
  /** @default always */
  readonly times?: number;
}

export interface FaultyAws extends AsyncDisposable {
  readonly url: string;
  /** URL that answers all other requests; set it before the first request. */
  behind: string;
}

export async function startFaultyAws({
  action,
  does,
  times = Number.POSITIVE_INFINITY,
}: AwsDisturbance): Promise<FaultyAws> {
  let met = 0;
  const http = createServer(async (request, response) => {
    const body = await text(request);
    if (readRequest(request, body).action === action && ++met <= times) {
      if (does === 'reset') request.socket.resetAndDestroy();
      else response.writeHead(200).end('<html>An unknown proxy says: hello.');
      return;
    }
    const target = request.headers['x-amz-target'];
    const headers = {
      'content-type': String(request.headers['content-type']),
      // The local AWS knows the service by the signature.
      authorization: String(request.headers.authorization),
      ...(target && { 'x-amz-target': String(target) }),
    };
    const { method = 'POST', url = '/' } = request;
    const answer = await fetch(new URL(url, aws.behind), { method, headers, body: body || null });
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(await answer.text());
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  const aws: FaultyAws = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    behind: '',
    async [Symbol.asyncDispose]() {
      http.close();
      http.closeAllConnections();
    },
  };
  return aws;
}
