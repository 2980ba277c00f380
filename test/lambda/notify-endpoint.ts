// The services that Notify calls: Step Functions with one execution, and a topic that keeps its messages.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Published {
  readonly subject: string;
  readonly message: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** An execution as Step Functions remember it. */
export interface Remembered {
  readonly input?: string;
  readonly error?: string;
  readonly cause?: string;
  /** The outputs of its states as text, the newest first. */
  readonly outputs: readonly string[];
}

export interface NotifyEndpoint extends AsyncDisposable {
  readonly url: string;
  remembered: Remembered;
  /** Actions that are answered with AccessDeniedException. */
  readonly denied: Set<string>;
  readonly published: Published[];
}

/** So few that every history has several pages. */
const EVENTS_A_PAGE = 2;

export async function startNotifyEndpoint(): Promise<NotifyEndpoint> {
  const http = createServer((request, response) => answer(endpoint, request, response));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const endpoint: NotifyEndpoint = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    remembered: { outputs: [] },
    denied: new Set(),
    published: [],
    async [Symbol.asyncDispose]() {
      http.close();
      http.closeAllConnections();
    },
  };
  return endpoint;
}

async function answer(endpoint: NotifyEndpoint, request: IncomingMessage, response: ServerResponse) {
  const target = String(request.headers['x-amz-target'] ?? '').split('.')[1];
  const body = await text(request);
  if (target) {
    const [status, result] = endpoint.denied.has(target)
      ? [400, { __type: 'AccessDeniedException', message: 'not authorized' }]
      : [200, callStepFunctions(endpoint.remembered, target, JSON.parse(body))];
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(result));
    return;
  }
  const [status, result] = endpoint.denied.has('Publish')
    ? [403, '<Error><Code>AuthorizationError</Code><Message>not authorized</Message></Error>']
    : [200, '<PublishResult><MessageId>1</MessageId></PublishResult>'];
  if (status === 200) endpoint.published.push(publishedBy(new URLSearchParams(body)));
  const name = status === 200 ? 'PublishResponse' : 'ErrorResponse';
  response.writeHead(status, { 'content-type': 'text/xml' }).end(`<${name}>${result}</${name}>`);
}

function callStepFunctions(
  { input, error, cause, outputs }: Remembered,
  action: string,
  { executionArn, nextToken = '0' }: { executionArn: string; nextToken?: string },
): object {
  if (action === 'DescribeExecution')
    return { executionArn, input, error, cause, status: 'FAILED', startDate: 0 };
  const from = Number(nextToken);
  const to = from + EVENTS_A_PAGE;
  // The newest event of all is the end itself, which has no output.
  const events = [undefined, ...outputs].map((output, at) => ({
    id: outputs.length - at,
    timestamp: 0,
    type: output === undefined ? 'ExecutionFailed' : 'TaskStateExited',
    ...(output !== undefined && { stateExitedEventDetails: { name: 'State', output } }),
  }));
  return { events: events.slice(from, to), ...(to < events.length && { nextToken: String(to) }) };
}

function publishedBy(form: URLSearchParams): Published {
  const names = [...form.entries()].filter(([key]) => /^MessageAttributes\.entry\.\d+\.Name$/.test(key));
  const attributes = names.map(([key, name]) => [name, form.get(key.replace(/Name$/, 'Value.StringValue'))]);
  return {
    subject: form.get('Subject') ?? '',
    message: form.get('Message') ?? '',
    attributes: Object.fromEntries(attributes),
  };
}
