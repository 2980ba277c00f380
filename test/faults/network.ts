// The network between a runner and its server: it counts the statements of the run's own connection, and at one of them
// it lets something happen.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { ConnectionSettings } from '../../lambda/migrator/session/settings.ts';
import {
  CONNECT,
  endsAnswer,
  type Message,
  MessageReader,
  parameterOf,
  pidIn,
  type Statement,
  StatementReader,
  standsApart,
  withSleep,
} from './wire.ts';

/**
 * Where something meets a statement: not yet sent; begun by the server; carried out, while the server is still at the
 * message that holds it; carried out, and the answer on its way; answered.
 */
export type Meeting = 'before' | 'begun' | 'carried out' | 'unanswered' | 'after';

/** What happens at one statement. */
export interface Strike {
  readonly at: Address;
  readonly meeting: Meeting;
  /**
   * Until it resolves, nothing passes to the server.
   * @param answered resolves when the server has answered the statement
   */
  act(line: Line, answered: Promise<void>): Promise<void>;
}

/** A statement by what it says: how many a run sends may depend on the clock, so that a number would mean another one. */
export interface Address {
  readonly text: string;
  /** How many statements with the same text precede it. */
  readonly after: number;
}

/** The address of one of these statements. */
export function addressOf(statements: readonly string[], at: number): Address {
  const text = kindOf(statements[at] ?? '');
  return { text, after: statements.slice(0, at).filter((other) => kindOf(other) === text).length };
}

/** Numbers in a statement may come from statistics. */
function kindOf(text: string): string {
  return text.replace(/\b\d+\b/g, '#');
}

/** The run's own connection, as what happens to it may use it. */
export interface Line {
  /** The backend; 0 before it has said so. */
  readonly pid: number;
  /** Ends it, in both directions. */
  cut(): void;
  /** From now on nothing passes in either direction, and neither end learns that the other is gone. */
  silence(): void;
  /** The same for every other connection, those to come included. */
  blackOut(): void;
}

export interface Network extends AsyncDisposable {
  /** How to connect through it; without TLS, for it reads what it passes on. */
  readonly settings: ConnectionSettings;
  /** The texts of the statements that the run's own connection has sent. */
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

/** What all connections of a network share. */
interface NetworkState {
  readonly sockets: Set<Socket>;
  readonly statements: string[];
  struck: boolean;
  dark: boolean;
}

/** The run's own connection: `backstop <verb> <run id>`. Others are its observer, its history, its commit status. */
const OWN = /^backstop (upgrade|downgrade|finalize|stamp) /;

/** One connection. */
class Relay implements Line {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #network: NetworkState;
  readonly #strike: Strike | undefined;
  readonly #statements = new StatementReader();
  /** Statements pass one after the other: one that is held holds those behind it. */
  #queue: Promise<void> = Promise.resolve();
  #own = false;
  #silent = false;
  /** Answers that are held back; undefined where they pass. */
  #held: Buffer[] | undefined;
  #answered: (() => void) | undefined;
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
    // An end that goes takes the other along, unless nothing passes any more.
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
    if (standsApart(message)) {
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
    if (endsAnswer(message)) this.#answered?.();
  }

  async #pass(statement: Statement): Promise<void> {
    const strike = this.#count(statement);
    const bytes = Buffer.concat(statement.messages.map((message) => message.bytes));
    if (!strike) {
      this.#send(this.#server, bytes);
      return;
    }
    this.#network.struck = true;
    const answered = new Promise<void>((resolve) => {
      this.#answered = resolve;
    });
    switch (strike.meeting) {
      case 'before':
        await strike.act(this, answered);
        this.#send(this.#server, bytes);
        break;
      case 'begun':
      case 'carried out':
        this.#send(this.#server, withSleep(statement, strike.meeting === 'begun' ? 'before' : 'after'));
        await strike.act(this, answered);
        break;
      case 'unanswered':
        this.#held = [];
        this.#send(this.#server, bytes);
        await answered;
        await strike.act(this, answered);
        this.#send(this.#client, Buffer.concat(this.#held));
        this.#held = undefined;
        break;
      case 'after':
        this.#send(this.#server, bytes);
        await answered;
        await strike.act(this, answered);
        break;
    }
  }

  /** What is to happen at this statement, which is counted if it is the run's own. */
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
