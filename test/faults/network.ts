// The network between a runner and its server: counts the statements of the run, and lets a fault happen at one of them.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { ConnectionSettings } from '../../lambda/migrator/session/settings.ts';
import {
  CONNECT,
  endsAnswer,
  isOutsideStatements,
  type Message,
  MessageReader,
  parameterOf,
  pidIn,
  type Statement,
  StatementReader,
  withSleep,
} from './wire.ts';

/**
 * The moment of a statement at which a fault happens: before it is sent; begun by the server; carried out, while the
 * server still works on the same message; carried out, and the answer is held back; answered.
 */
export type Meeting = 'before' | 'begun' | 'carried out' | 'unanswered' | 'after';

/** A fault at one statement. */
export interface Strike {
  readonly at: Address;
  readonly meeting: Meeting;
  /**
   * Until it resolves, nothing passes to the server.
   * @param answered resolves when the server has answered the statement
   */
  act(line: Line, answered: Promise<void>): Promise<void>;
}

/** A statement, addressed by its text: its number may depend on the clock. */
export interface Address {
  readonly text: string;
  /** The number of earlier statements with the same text. */
  readonly after: number;
}

/** The address of one of these statements. */
export function addressOf(statements: readonly string[], at: number): Address {
  const text = kindOf(statements[at] ?? '');
  return { text, after: statements.slice(0, at).filter((other) => kindOf(other) === text).length };
}

/** Replaces numbers: they may come from statistics, or say how many milliseconds are left. */
function kindOf(text: string): string {
  return text.replace(/\b\d+(?=ms\b|\b)/g, '#');
}

/** The connection of the run, as a fault may use it. */
export interface Line {
  /** The pid of its backend; 0 until the server has sent it. */
  readonly pid: number;
  /** Closes it in both directions. */
  cut(): void;
  /** Drops all further bytes in both directions; neither end is notified. */
  silence(): void;
  /** Silences all connections, including new ones. */
  blackOut(): void;
}

export interface Network extends AsyncDisposable {
  /** Settings of a connection through it; without TLS, because it reads the messages. */
  readonly settings: ConnectionSettings;
  /** The texts of the statements that the connection of the run has sent. */
  readonly statements: readonly string[];
  /** Whether the strike has happened. */
  readonly struck: boolean;
}

/** @param strike default: nothing happens */
export async function openNetwork(settings: ConnectionSettings, strike?: Strike): Promise<Network> {
  const state: NetworkState = { sockets: new Set(), statements: [], struck: false, dark: false };
  const listener = createServer((client) => {
    new Relay(client, connect(settings.port, settings.host), state, strike);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  return {
    settings: { ...settings, host: '127.0.0.1', port, tls: { mode: 'off' } },
    statements: state.statements,
    get struck() {
      return state.struck;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of state.sockets) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}

/** The state that all connections of a network share. */
interface NetworkState {
  readonly sockets: Set<Socket>;
  readonly statements: string[];
  struck: boolean;
  dark: boolean;
}

/** Matches the connection of the run, not its observer, its history or its commit status. */
const OWN = /^backstop (upgrade|downgrade|finalize|stamp) /;

/** One connection. */
class Relay implements Line {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #network: NetworkState;
  readonly #strike: Strike | undefined;
  readonly #statements = new StatementReader();
  /** Statements pass in order: a held statement holds all later statements. */
  #queue: Promise<void> = Promise.resolve();
  #own = false;
  #silent = false;
  /** Answers that are held back; undefined while answers pass. */
  #held: Buffer[] | undefined;
  /** How many statements the server has not answered. */
  #unanswered = 0;
  /** Resolves when the server has answered so many more statements. */
  #awaited: { answers: number; readonly resolve: () => void } | undefined;
  pid = 0;

  constructor(client: Socket, server: Socket, network: NetworkState, strike: Strike | undefined) {
    this.#client = client;
    this.#server = server;
    this.#network = network;
    this.#strike = strike;
    for (const socket of [client, server]) {
      network.sockets.add(socket);
      socket.setNoDelay().on('error', () => {});
      socket.on('close', () => network.sockets.delete(socket));
    }
    const [requests, answers] = [new MessageReader(false), new MessageReader(true)];
    client.on('data', (bytes) => {
      for (const message of requests.read(bytes)) this.#request(message);
    });
    server.on('data', (bytes) => {
      for (const message of answers.read(bytes)) this.#answer(message);
    });
    // If one end closes, the other is closed too, unless the line is silent.
    client.on('close', () => this.#isSilent || server.destroy());
    server.on('end', () => this.#isSilent || client.end());
    server.on('close', () => this.#isSilent || client.end());
  }

  cut(): void {
    this.#client.destroy();
    this.#server.destroy();
  }

  silence(): void {
    this.#silent = true;
  }

  blackOut(): void {
    this.#network.dark = true;
  }

  get #isSilent(): boolean {
    return this.#silent || this.#network.dark;
  }

  #send(to: Socket, bytes: Buffer): void {
    if (!this.#isSilent && to.writable) to.write(bytes);
  }

  #request(message: Message): void {
    if (isOutsideStatements(message)) {
      this.#send(this.#server, message.bytes);
      return;
    }
    const statement = this.#statements.read(message);
    if (statement) this.#queue = this.#queue.then(() => this.#pass(statement));
  }

  #answer(message: Message): void {
    if (message.type === 'K') this.pid = pidIn(message);
    if (this.#held) this.#held.push(message.bytes);
    else this.#send(this.#client, message.bytes);
    if (!endsAnswer(message)) return;
    this.#unanswered -= 1;
    if (!this.#awaited) return;
    this.#awaited.answers -= 1;
    if (this.#awaited.answers === 0) this.#awaited.resolve();
  }

  #forward(bytes: Buffer): void {
    this.#unanswered += 1;
    this.#send(this.#server, bytes);
  }

  async #pass(statement: Statement): Promise<void> {
    const strike = this.#count(statement);
    const bytes = Buffer.concat(statement.messages.map((message) => message.bytes));
    if (!strike) {
      this.#forward(bytes);
      return;
    }
    this.#network.struck = true;
    // Statements that were sent before it are answered first.
    const answers = this.#unanswered + 1;
    const answered = new Promise<void>((resolve) => {
      this.#awaited = { answers, resolve };
    });
    switch (strike.meeting) {
      case 'before':
        await strike.act(this, answered);
        this.#forward(bytes);
        break;
      case 'begun':
      case 'carried out':
        this.#forward(withSleep(statement, strike.meeting === 'begun' ? 'before' : 'after'));
        await strike.act(this, answered);
        break;
      case 'unanswered':
        this.#held = [];
        this.#forward(bytes);
        await answered;
        await strike.act(this, answered);
        this.#send(this.#client, Buffer.concat(this.#held));
        this.#held = undefined;
        break;
      case 'after':
        this.#forward(bytes);
        await answered;
        await strike.act(this, answered);
        break;
    }
  }

  /** Counts a statement of the run; returns the strike if it must happen at this statement. */
  #count({ text, messages: [first] }: Statement): Strike | undefined {
    if (text === CONNECT && first) this.#own = OWN.test(parameterOf(first, 'application_name'));
    if (!this.#own) return undefined;
    const { statements } = this.#network;
    statements.push(text);
    if (!this.#strike || kindOf(text) !== this.#strike.at.text) return undefined;
    return addressOf(statements, statements.length - 1).after === this.#strike.at.after
      ? this.#strike
      : undefined;
  }
}
