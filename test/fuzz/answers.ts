// An AWS with the answers of a test, for the real SDK; start it before a client is made.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface AwsAnswer {
  readonly status: number;
  readonly body: string | Uint8Array;
}

/** Returns the answer to an action, by its name. */
export type Answers = (action: string) => AwsAnswer;

export interface Oracle extends AsyncDisposable {
  answers: Answers;
}

/** Points the SDK of this process to itself. */
export async function startOracle(): Promise<Oracle> {
  const http = createServer(async (request, response) => {
    const chunks: Buffer[] = await request.toArray();
    const query = new URLSearchParams(Buffer.concat(chunks).toString());
    const target = request.headers['x-amz-target'];
    const { status, body } = oracle.answers(
      target ? (String(target).split('.')[1] ?? '') : (query.get('Action') ?? ''),
    );
    response
      .writeHead(status, { 'content-type': target ? 'application/x-amz-json-1.1' : 'text/xml' })
      .end(body);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  Object.assign(process.env, {
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'any',
    AWS_SECRET_ACCESS_KEY: 'any',
    AWS_ENDPOINT_URL_RDS: url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: url,
    // A second attempt would get the same answer.
    AWS_MAX_ATTEMPTS: '1',
  });
  const oracle: Oracle = {
    answers: () => ({ status: 500, body: '' }),
    async [Symbol.asyncDispose]() {
      http.close();
      http.closeAllConnections();
    },
  };
  return oracle;
}
