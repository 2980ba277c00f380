// IAM database authentication: a function sends a token as the password, and reads no secret.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { localDatabase } from '../../lib/twin/databases.ts';
import { expectEnding, makeTwin, withDatabases } from './twin.ts';

const { identifier } = localDatabase('codebase_mcp');
const deployment = withDatabases({
  codebase_mcp: { identifier, iamUser: 'migrator', databaseName: 'codebase' },
});

/** A server that asks for the password in plain text, records the logins, and refuses them all. */
async function startServer() {
  const logins: { startup: string; password: string }[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let startup = '';
    socket.on('error', () => {});
    socket.on('data', (data) => {
      if (startup === '') {
        startup = data.subarray(8).toString().replaceAll('\0', ' ');
        socket.write(message('R', Buffer.from([0, 0, 0, 3])));
      } else {
        logins.push({ startup, password: data.subarray(5, -1).toString() });
        socket.end(message('E', Buffer.from('SFATAL\0C28P01\0MPAM authentication failed\0\0')));
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    port,
    logins,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** A message of the protocol: its type, its length, its body. */
function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

test('a token for the endpoint and the user, valid for 15 minutes, replaces the password', async () => {
  await using server = await startServer();
  await using twin = await makeTwin({
    deployment,
    server: { host: '127.0.0.1', port: server.port, tls: 'off' },
  });
  const run = await twin.execute({});
  expectEnding(run, 'CredentialsRejected', 'PAM authentication failed');

  const [{ startup, password } = { startup: '', password: '' }] = server.logins;
  expect(startup).toContain('user migrator');
  expect(startup).toContain('database codebase');
  const token = new URL(`https://${password}`);
  expect(token.host).toBe(`127.0.0.1:${server.port}`);
  expect(Object.fromEntries(token.searchParams)).toMatchObject({
    Action: 'connect',
    DBUser: 'migrator',
    'X-Amz-Expires': '900',
    'X-Amz-Credential': expect.stringContaining('/eu-central-1/rds-db/aws4_request'),
    'X-Amz-Signature': expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(twin.endpoint.requests.map(({ action }) => action)).not.toContain('GetSecretValue');
  expect(JSON.stringify(run)).not.toContain(token.searchParams.get('X-Amz-Signature'));
});
