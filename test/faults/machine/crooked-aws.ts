// An AWS that breaks the protocol: before the local one, it resets connections and answers with what is no answer.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Crooked {
  readonly action: string;
  readonly does: 'reset' | 'garble';
  /** @default always */
  readonly times?: number;
}

export interface CrookedAws extends AsyncDisposable {
  readonly url: string;
  /** Where everything else is answered; to be set before the first request. */
  behind: string;
}

export async function startCrookedAws({
  action,
  does,
  times = Number.POSITIVE_INFINITY,
}: Crooked): Promise<CrookedAws> {
  let met = 0;
  const http = createServer(async (request, response) => {
    const body = await text(request);
    const target = request.headers['x-amz-target'];
    const asked = target ? String(target).split('.').at(-1) : new URLSearchParams(body).get('Action');
    if (asked === action && ++met <= times) {
      if (does === 'reset') request.socket.resetAndDestroy();
      else response.writeHead(200).end('<html>A proxy that nobody knows of says: hello.');
      return;
    }
    const headers = {
      'content-type': String(request.headers['content-type']),
      ...(target && { 'x-amz-target': String(target) }),
    };
    const answer = await fetch(aws.behind, { method: 'POST', headers, body });
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(await answer.text());
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  const aws: CrookedAws = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    behind: '',
    async [Symbol.asyncDispose]() {
      http.close();
      http.closeAllConnections();
    },
  };
  return aws;
}
