// A small pooler before the test server: it gives the clients' transactions to sessions that it keeps, and never resets one.
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import pg from 'pg';
import type { ConnectionSettings } from '../../lambda/migrator/session/settings.ts';

export interface PoolerOptions {
  readonly mode: 'session' | 'transaction' | 'statement';
  /** How many sessions of the server there are at most. */
  readonly size: number;
  /** Which idle session is used next: the session that was used last, as PgBouncer does it, or each in turn. */
  readonly order: 'last' | 'in turn';
}

export interface Pooler {
  /** How to connect through the pooler, without TLS. */
  readonly settings: ConnectionSettings;
  /** The sessions of the server that are open now. */
  readonly backends: readonly pg.Client[];
  /** Ends all connections. */
  stop(): Promise<void>;
}

/** A session of the server, and the client that has it. */
interface Backend {
  readonly login: pg.Client;
  readonly stream: Socket;
  take: (message: Buffer) => void;
  /** The name of the application, as it was set last. */
  name: string | undefined;
}

interface Frontend {
  /** Takes a message of the server. */
  receive: (message: Buffer) => void;
  readonly name: string | undefined;
  backend: Backend | undefined;
  /** Whether messages are passed on; otherwise they wait. */
  isServed: boolean;
  readonly waiting: Buffer[];
  /** Answers that the server owes. */
  owed: number;
  /** The status in the last answer: `I` outside a transaction. */
  status: string;
}

/** @param first is run in each new session of the server, as PgBouncer's `connect_query` */
export async function startPooler(
  settings: ConnectionSettings,
  options: PoolerOptions,
  first = '',
): Promise<Pooler> {
  const pool = new Pool(settings, options, first);
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    serve(socket, pool, options.mode).catch(() => socket.destroy());
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  return {
    settings: { ...settings, host: '127.0.0.1', port, tls: { mode: 'off' } },
    get backends() {
      return pool.all.map(({ login }) => login);
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, 'close');
      pool.close();
    },
  };
}

/** The sessions of the server, and the clients that wait for one, in their order. */
class Pool {
  readonly all: Backend[] = [];
  readonly #idle: Backend[] = [];
  readonly #queue: Frontend[] = [];
  readonly #settings: ConnectionSettings;
  readonly #options: PoolerOptions;
  readonly #first: string;
  #opening = 0;

  constructor(settings: ConnectionSettings, options: PoolerOptions, first: string) {
    this.#settings = settings;
    this.#options = options;
    this.#first = first;
  }

  want(frontend: Frontend): void {
    if (this.#queue.includes(frontend)) return;
    this.#queue.push(frontend);
    this.#serve();
  }

  release(backend: Backend): void {
    backend.take = () => {};
    if (this.all.includes(backend)) this.#idle.push(backend);
    this.#serve();
  }

  discard(backend: Backend): void {
    backend.stream.destroy();
    for (const list of [this.all, this.#idle]) {
      if (list.includes(backend)) list.splice(list.indexOf(backend), 1);
    }
    this.#serve();
  }

  forget(frontend: Frontend): void {
    if (this.#queue.includes(frontend)) this.#queue.splice(this.#queue.indexOf(frontend), 1);
  }

  close(): void {
    this.#queue.length = 0;
    for (const backend of [...this.all]) backend.stream.destroy();
  }

  #serve(): void {
    while (this.#queue.length > 0 && this.#idle.length > 0) {
      const backend = this.#options.order === 'last' ? this.#idle.pop() : this.#idle.shift();
      lend(this.#queue.shift() as Frontend, backend as Backend);
    }
    if (this.#queue.length > this.#opening && this.all.length + this.#opening < this.#options.size) {
      this.#opening += 1;
      void this.#open();
    }
  }

  async #open(): Promise<void> {
    const { host, port, user, password, database, tls } = this.#settings;
    const ssl = tls.mode === 'off' ? false : { ca: tls.ca };
    const login = new pg.Client({ host, port, user, password, database, ssl });
    login.on('error', () => {});
    await login.connect();
    if (this.#first) await login.query(this.#first);
    // From here on the messages of the clients are passed on as they are.
    const { stream } = (login as unknown as { connection: { stream: Socket } }).connection;
    stream.removeAllListeners('data');
    const backend: Backend = { login, stream, take: () => {}, name: undefined };
    stream.on(
      'data',
      framed((message) => backend.take(message)),
    );
    stream.on('close', () => this.discard(backend));
    this.#opening -= 1;
    this.all.push(backend);
    this.release(backend);
  }
}

/** The session is the client's until its transaction ends, or the client. */
function lend(frontend: Frontend, backend: Backend): void {
  frontend.backend = backend;
  const begin = () => {
    backend.take = (message) => frontend.receive(message);
    frontend.isServed = true;
    for (const message of frontend.waiting.splice(0)) forward(frontend, message);
  };
  if (frontend.name === undefined || frontend.name === backend.name) {
    begin();
    return;
  }
  backend.name = frontend.name;
  // As PgBouncer does: the name of the application follows the client.
  backend.take = (message) => message[0] === ascii('Z') && begin();
  backend.stream.write(framedAs('Q', `SET application_name = ${pg.escapeLiteral(frontend.name)}\0`));
}

function forward(frontend: Frontend, message: Buffer): void {
  if (message[0] === ascii('Q') || message[0] === ascii('S')) frontend.owed += 1;
  frontend.backend?.stream.write(message);
}

async function serve(socket: Socket, pool: Pool, mode: PoolerOptions['mode']): Promise<void> {
  const name = await greet(socket);
  const frontend: Frontend = {
    receive: () => {},
    name,
    backend: undefined,
    isServed: false,
    waiting: [],
    owed: 0,
    status: 'I',
  };
  const isBetween = () => frontend.owed === 0 && frontend.status === 'I';
  const release = (toPool: 'release' | 'discard') => {
    const { backend } = frontend;
    frontend.backend = undefined;
    frontend.isServed = false;
    if (backend) pool[toPool](backend);
  };
  const leave = () => {
    pool.forget(frontend);
    release(isBetween() ? 'release' : 'discard');
    socket.destroy();
  };
  frontend.receive = (message) => {
    if (message[0] === ascii('Z')) {
      frontend.owed -= 1;
      frontend.status = String.fromCharCode(message[5] as number);
      if (mode === 'statement' && frontend.status !== 'I') {
        socket.write(framedAs('E', 'SFATAL\0C08P01\0M transaction blocks not allowed\0\0'));
        return leave();
      }
    }
    socket.write(message);
    if (mode !== 'session' && message[0] === ascii('Z') && isBetween()) release('release');
  };
  const take = (message: Buffer) => {
    if (message[0] === ascii('X')) return leave();
    if (frontend.isServed) return forward(frontend, message);
    frontend.waiting.push(message);
    if (!frontend.backend) pool.want(frontend);
  };
  socket.on('close', leave);
  socket.on('data', framed(take));
}

/** Lets anyone in, with a key that is the pooler's own. Returns the name of the application. */
async function greet(socket: Socket): Promise<string | undefined> {
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  const words = bytes.toString('utf8', 8).split('\0');
  const at = words.indexOf('application_name');
  const key = Buffer.alloc(8);
  key.writeInt32BE(randomInt(2 ** 30, 2 ** 31 - 1));
  socket.write(
    Buffer.concat([
      framedAs('R', '\0\0\0\0'),
      framedAs('S', 'server_version\x0018.0\0'),
      framedAs('S', 'client_encoding\0UTF8\0'),
      framedAs('K', key),
      framedAs('Z', 'I'),
    ]),
  );
  return at === -1 ? undefined : words[at + 1];
}

const ascii = (letter: string) => letter.charCodeAt(0);

function framedAs(type: string, body: string | Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.write(type);
  header.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([header, Buffer.from(body as string)]);
}

/** Whole messages out of the bytes of a connection. */
function framed(take: (message: Buffer) => void): (bytes: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= 5 && rest.length > rest.readInt32BE(1)) {
      const end = 1 + rest.readInt32BE(1);
      const message = Buffer.from(rest.subarray(0, end));
      rest = rest.subarray(end);
      take(message);
    }
  };
}
