// Someone between here and the server, who wants the password: whatever they answer, they get nothing of it.
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext, TLSSocket } from 'node:tls';
import { connectorTo } from '../../../../lambda/migrator/session/connection.ts';
import { parseDatabaseUrl } from '../../../../lambda/migrator/session/database-url.ts';
import { certificateFiles, writeCertificate } from '../../../../lib/twin/server/certificate.ts';

const PASSWORD = 'sesame-42';
const TLS_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const CLEAR_TEXT_PLEASE = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);
const MD5_PLEASE = Buffer.from([0x52, 0, 0, 0, 12, 0, 0, 0, 5, 1, 2, 3, 4]);
const SCRAM_PLEASE = Buffer.from('R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0', 'latin1');

/** Names of this machine for which TLS is not off. */
const OTHER_MACHINES = ['127.1', '2130706433', '0.0.0.0', '[::ffff:127.0.0.1]'];
/** Each way to ask for TLS, or for nothing, in a URL and in PGSSLMODE. */
const WORDS: readonly (readonly [inUrl: string, inEnvironment: string])[] = [
  ['', ''],
  ['ssl=true', ''],
  ['sslrootcert=system', ''],
  ['sslrootcert=system', 'disable'],
  ['sslmode=prefer&ssl=allow', ''],
  ...['allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'PREFER'].flatMap(
    (word) =>
      [
        [`sslmode=${word}`, ''],
        [`ssl=${word}`, ''],
        ['', word],
        [`sslmode=${word}`, 'disable'],
      ] as const,
  ),
];

let folder: string;
let files: ReturnType<typeof certificateFiles>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'backstop-test-'));
  files = certificateFiles(join(folder, 'tls'));
  await writeCertificate(join(folder, 'tls'));
});
beforeEach(() => {
  delete process.env.PGPASSWORD;
  process.env.PGPASSFILE = join(folder, 'none');
});
afterAll(() => rmSync(folder, { recursive: true }));
afterAll(() => {
  delete process.env.PGPASSWORD;
  delete process.env.PGPASSFILE;
});

interface Thief {
  readonly port: number;
  /** All bytes that came in, and the decrypted ones. */
  readonly loot: Buffer[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** @param answer called with each message that a connection receives. */
async function startThief(answer: (socket: Socket, bytes: Buffer, loot: Buffer[]) => void): Promise<Thief> {
  const loot: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      loot.push(bytes);
      answer(socket, bytes, loot);
    });
  });
  server.listen(0, '::');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    loot,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

const sayNo = (request: Buffer) => (socket: Socket, bytes: Buffer) => {
  socket.write(bytes.equals(TLS_REQUEST) ? 'N' : request);
};

/** Says yes, and shows a self-signed certificate; asks for the password as soon as anyone believes it. */
function showCertificate(socket: Socket, _bytes: Buffer, loot: Buffer[]): void {
  socket.removeAllListeners('data');
  socket.write('S');
  const secureContext = createSecureContext({
    key: readFileSync(files.key),
    cert: readFileSync(files.certificate),
  });
  const secure = new TLSSocket(socket, { isServer: true, secureContext });
  secure.on('error', () => {});
  secure.on('data', (bytes: Buffer) => {
    loot.push(bytes);
    secure.write(CLEAR_TEXT_PLEASE);
  });
}

const NO_TLS = {
  name: 'ConfigurationError',
  summary: expect.stringMatching(/offers no TLS, so Backstop did not log in$/),
};
const UNVERIFIED = { name: 'ConfigurationError', summary: expect.stringMatching(/could not be verified$/) };
const UNLIKE = {
  name: 'DatabaseUnreachable',
  summary: expect.stringMatching(/did not answer the request for TLS/),
};
const UNREACHABLE = { name: 'DatabaseUnreachable', summary: expect.stringMatching(/could not be reached$/) };

/** The way of a thief → the ending of the connection. */
const THIEVES: readonly (readonly [way: string, Parameters<typeof startThief>[0], object])[] = [
  ['says no, and asks for it in clear text', sayNo(CLEAR_TEXT_PLEASE), NO_TLS],
  ['says no, and asks for it as an MD5 hash', sayNo(MD5_PLEASE), NO_TLS],
  ['says no, and asks for it by SCRAM', sayNo(SCRAM_PLEASE), NO_TLS],
  [
    'says no, and asks for it at once',
    (socket) => socket.write(Buffer.concat([Buffer.from('N'), CLEAR_TEXT_PLEASE])),
    UNLIKE,
  ],
  ['shows a self-signed certificate', showCertificate, UNVERIFIED],
  [
    'says yes, and goes on without TLS',
    (socket) => socket.write(Buffer.concat([Buffer.from('S'), CLEAR_TEXT_PLEASE])),
    UNLIKE,
  ],
  [
    'says yes, and then something else',
    (socket, bytes) => socket.write(bytes.equals(TLS_REQUEST) ? 'S' : CLEAR_TEXT_PLEASE),
    UNVERIFIED,
  ],
  ['answers garbage', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'), UNLIKE],
  ['skips TLS', (socket) => socket.write(CLEAR_TEXT_PLEASE), UNLIKE],
  ['answers with an error', (socket) => socket.write('E\0\0\0\x13SFATAL\0C53300\0\0'), UNLIKE],
  ['hangs up', (socket) => socket.destroy(), UNREACHABLE],
  ['says yes, and hangs up', (socket) => socket.end('S'), UNREACHABLE],
  ['never answers', () => {}, UNREACHABLE],
  [
    'says yes, and never goes on',
    (socket, bytes) => bytes.equals(TLS_REQUEST) && socket.write('S'),
    UNREACHABLE,
  ],
];

async function connect(url: string, environment: Record<string, string> = {}): Promise<unknown> {
  const settings = parseDatabaseUrl(url, 'DATABASE_URL', environment);
  return connectorTo(settings)('test').then(
    (client) => client.end().then(() => 'it connected'),
    (error: unknown) => error,
  );
}

/** Nothing but the request for TLS, and the first message of TLS itself. */
function expectNothing(loot: readonly Buffer[]): void {
  for (const bytes of loot) {
    const isHello = bytes[0] === 0x16;
    // A client that speaks TLS to someone without it ends with an alert.
    const isAlert = bytes[0] === 0x15;
    expect(isHello || isAlert || bytes.equals(TLS_REQUEST)).toBe(true);
    expect(bytes.toString('latin1')).not.toMatch(/sesame|md5|SCRAM|owner/);
  }
}

describe.each(THIEVES)('someone who %s', (_way, answer, ending) => {
  test('gets nothing of the password, in the URL, the environment or the password file', async () => {
    await using thief = await startThief(answer);
    const place = `127.1:${thief.port}/app?connect_timeout=1`;
    expect(await connect(`postgresql://owner:${PASSWORD}@${place}`)).toMatchObject(ending);
    process.env.PGPASSWORD = PASSWORD;
    expect(await connect(`postgresql://owner@${place}`)).toMatchObject(ending);
    delete process.env.PGPASSWORD;
    process.env.PGPASSFILE = join(folder, 'pgpass');
    writeFileSync(process.env.PGPASSFILE, `*:*:*:*:${PASSWORD}`, { mode: 0o600 });
    expect(await connect(`postgresql://owner@${place}`)).toMatchObject(ending);
    expect(thief.loot.length).toBeGreaterThanOrEqual(3);
    expectNothing(thief.loot);
  });
});

test.each(WORDS)(
  'someone who says no gets nothing with "%s" in the URL and "%s" in PGSSLMODE',
  async (word, mode) => {
    await using thief = await startThief(sayNo(CLEAR_TEXT_PLEASE));
    for (const host of OTHER_MACHINES) {
      const url = `postgresql://owner:${PASSWORD}@${host}:${thief.port}/app?${word}`;
      expect(await connect(url, { PGSSLMODE: mode })).toMatchObject(NO_TLS);
    }
    expectNothing(thief.loot);
  },
);

test('the error for a server without TLS has the remedy', async () => {
  await using thief = await startThief(sayNo(CLEAR_TEXT_PLEASE));
  expect(await connect(`postgresql://owner:${PASSWORD}@127.1:${thief.port}/app`)).toMatchObject({
    hint: expect.stringMatching(/sslrootcert.*sslmode=disable/),
  });
});

test.each([
  ['sslmode=disable', ''],
  ['ssl=false', 'require'],
  ['ssl=disable', ''],
  ['', 'disable'],
])('"%s" in the URL and "%s" in PGSSLMODE send the password in clear text', async (word, mode) => {
  await using thief = await startThief((socket, bytes) => {
    if (bytes[0] === 0x70) socket.destroy();
    else socket.write(CLEAR_TEXT_PLEASE);
  });
  const url = `postgresql://owner:${PASSWORD}@127.1:${thief.port}/app?${word}`;
  expect(await connect(url, { PGSSLMODE: mode })).toMatchObject(UNREACHABLE);
  expect(Buffer.concat(thief.loot).toString('latin1')).toContain(PASSWORD);
});
