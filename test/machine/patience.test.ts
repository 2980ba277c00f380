// Databases that cannot be reached for some seconds, and secrets that are rotated meanwhile: the function tries again.

import { BackstopError } from '../../lambda/migrator/model/errors.ts';
import type { Connect } from '../../lambda/migrator/session/connection.ts';
import { patiently } from '../../lambda/runtime/patience.ts';
import { localDatabase } from '../../lib/twin/databases.ts';
import { addressOf } from '../../lib/twin/twin.ts';
import { testServer } from '../setup/database.ts';
import { type NetworkProxy, type Passage, startProxy } from '../setup/proxy.ts';
import { expectEnding, makeTwin, type Run, type TestTwin, withEnvironment } from './twin.ts';

const { secretArn } = localDatabase('codebase_mcp');

/** Long enough on a slow machine. */
const deployment = withEnvironment({ BACKSTOP_CONNECT_SECONDS: '60' });

/** How often a function was told to try again. */
const attemptsIn = ({ events }: Run) =>
  events.filter((event) => event.type === 'log' && JSON.stringify(event.line).includes('tried again in'))
    .length;

async function statusThrough(proxy: NetworkProxy): Promise<Run> {
  const { host, port } = proxy.settings;
  await using twin = await makeTwin({ at: '002', deployment, server: { host, port, tls: 'off' } });
  return await twin.execute('status');
}

/** A proxy that does this to the first connections. */
async function disturbingFirst(connections: number, toClient: (proxy: NetworkProxy) => Passage) {
  let opened = 0;
  return startProxy(addressOf(testServer, 'postgres'), (proxy) =>
    ++opened <= connections ? { toClient: toClient(proxy) } : {},
  );
}

const STARTING = 'SFATAL\0VFATAL\0C57P03\0M' + 'the database system is starting up\0\0';

function errorMessage(fields: string): Buffer {
  const head = Buffer.from('E\0\0\0\0');
  head.writeInt32BE(Buffer.byteLength(fields) + 4, 1);
  return Buffer.concat([head, Buffer.from(fields)]);
}

test.each<[string, (proxy: NetworkProxy) => Passage]>([
  [
    'cuts the connection',
    (proxy) => () => {
      proxy.cut();
      return undefined;
    },
  ],
  ['is starting up', () => () => errorMessage(STARTING)],
  [
    'was the writer until a moment ago',
    // The last column of the first answer.
    () => (bytes) => Buffer.from(bytes.toString('latin1').replace('\0\0\0\x01fC', '\0\0\0\x01tC'), 'latin1'),
  ],
])('a server that %s is tried again', async (_, toClient) => {
  const proxy = await disturbingFirst(3, toClient);
  const run = await statusThrough(proxy);
  await proxy.stop();
  expect(run.execution).toMatchObject({ status: 'SUCCEEDED' });
  expect(attemptsIn(run)).toBe(3);
});

/** The first reads of a secret give another password. */
function rotatedAfter(reads: number): (twin: TestTwin) => void {
  return ({ endpoint }) => {
    const rotated = endpoint.secrets.get(secretArn) ?? '';
    const before = JSON.stringify({ ...JSON.parse(rotated), password: 'the-one-before' });
    let read = 0;
    endpoint.onRequest = ({ action }) => {
      if (action === 'GetSecretValue') endpoint.secrets.set(secretArn, ++read > reads ? rotated : before);
      return undefined;
    };
  };
}

test('a password that the server has before the secret has it is read again', async () => {
  await using twin = await makeTwin({ at: '002', deployment });
  rotatedAfter(3)(twin);
  const run = await twin.execute('status');
  expect(run.execution).toMatchObject({ status: 'SUCCEEDED' });
  expect(attemptsIn(run)).toBe(3);
});

test('a database that is not there is not tried again', async () => {
  await using twin = await makeTwin({ deployment });
  const secret = JSON.parse(twin.endpoint.secrets.get(secretArn) ?? '');
  twin.endpoint.secrets.set(secretArn, JSON.stringify({ ...secret, dbname: 'nowhere' }));
  const run = await twin.execute('status');
  expectEnding(run, 'DatabaseNotFound', 'has no database');
  expect(attemptsIn(run)).toBe(0);
});

test('a database that was reached once, and is gone, is not waited for: the run asks what is true', async () => {
  let asked = 0;
  const connect: Connect = async () => {
    if (++asked > 1) throw new BackstopError('DatabaseUnreachable', { message: 'gone' });
    return {} as Awaited<ReturnType<Connect>>;
  };
  const patient = patiently(connect, { forMs: 60_000, tell: () => {} });
  await patient('one');
  await expect(patient('two')).rejects.toThrow('gone');
  expect(asked).toBe(2);
});

test('a server that never answers is called unreachable when the time is over', async () => {
  let asked = 0;
  const connect: Connect = async () => {
    asked += 1;
    throw new BackstopError('DatabaseUnreachable', { message: 'not yet' });
  };
  await expect(patiently(connect, { forMs: 1_200, tell: () => {} })('one')).rejects.toThrow('not yet');
  expect(asked).toBe(2);
});
