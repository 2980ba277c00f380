// PostgreSQL's protocol as far as a fault must understand it: messages, the statements they make up, their answers.

/** A complete message. `type` is its letter; `''` for the first message of a connection. */
export interface Message {
  readonly type: string;
  readonly bytes: Buffer;
}

/** Cuts the bytes of one direction into messages, however they arrive. */
export class MessageReader {
  #rest: Buffer = Buffer.alloc(0);
  #typed: boolean;

  /** @param typed false if the direction begins with a start-up message */
  constructor(typed: boolean) {
    this.#typed = typed;
  }

  /** The messages that these bytes complete. */
  read(bytes: Buffer): Message[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const messages: Message[] = [];
    for (;;) {
      const letters = this.#typed ? 1 : 0;
      if (this.#rest.length < letters + 4) return messages;
      const end = letters + this.#rest.readInt32BE(letters);
      if (this.#rest.length < end) return messages;
      const whole = this.#rest.subarray(0, end);
      messages.push({ type: whole.toString('latin1', 0, letters), bytes: whole });
      this.#rest = this.#rest.subarray(end);
      this.#typed = true;
    }
  }
}

/** The messages that a client sends before it waits for an answer. */
export interface Statement {
  /** {@link CONNECT} for the start of a session. */
  readonly text: string;
  readonly messages: readonly Message[];
}

/** After these a client waits: the start of a session, a simple query, the end of an extended one. */
const CLOSING = ['', 'Q', 'S'];

/** Puts a client's messages together to statements. */
export class StatementReader {
  #open: Message[] = [];

  /** The statement that this message completes, if any. */
  read(message: Message): Statement | undefined {
    this.#open.push(message);
    if (!CLOSING.includes(message.type)) return undefined;
    const statement = { text: textOf(this.#open), messages: this.#open };
    this.#open = [];
    return statement;
  }
}

/** Messages outside every statement: a password, and the end of the session. */
export function isOutsideStatements({ type }: Message): boolean {
  return type === 'p' || type === 'X';
}

/** The server sends this message when it waits for the next statement. */
export function endsAnswer({ type }: Message): boolean {
  return type === 'Z';
}

function textOf([first]: readonly Message[]): string {
  if (!first) return '';
  // Query: the text. Parse: a name, which node-postgres leaves empty, then the text. Start-up: length, version, names.
  const from = { Q: 5, P: 6 }[first.type];
  if (from === undefined) return CONNECT;
  return first.bytes.toString('utf8', from, first.bytes.indexOf(0, from));
}

/** The text that represents the start of a session. */
export const CONNECT = 'connect';

/** A start-up parameter, such as `application_name`; '' if it is missing. */
export function parameterOf({ bytes }: Message, name: string): string {
  const fields = bytes.toString('utf8', 8).split('\0');
  const at = fields.findIndex((field, index) => index % 2 === 0 && field === name);
  return at < 0 ? '' : (fields[at + 1] ?? '');
}

/** The backend's pid in BackendKeyData. */
export function pidIn({ bytes }: Message): number {
  return bytes.readInt32BE(5);
}

/** Sleeps much longer than any case may take. The time limit of the run must not end it. */
const SLEEP = [
  "DO $do$ BEGIN PERFORM pg_catalog.set_config('statement_timeout', '0', true); END $do$",
  'SELECT pg_catalog.pg_sleep(60)',
];

/**
 * Returns the bytes of the statement, and in the same message or group a sleep of the server, before the work or
 * between the work and the answer. So a fault can happen while the server works on a quick statement, too.
 */
export function withSleep({ text, messages }: Statement, sleep: 'before' | 'after'): Buffer {
  const last = messages.at(-1) as Message;
  if (last.type === 'Q')
    return query((sleep === 'after' ? [`${text}\n`, ...SLEEP] : [...SLEEP, text]).join(';'));
  const own = messages.slice(0, -1).map(({ bytes }) => bytes);
  const sleeping = SLEEP.flatMap((sql) => [
    message('P', `\0${sql}\0\0\0`),
    message('B', '\0\0\0\0\0\0\0\0'),
    message('E', '\0\0\0\0\0'),
  ]);
  const order = sleep === 'after' ? [...own, ...sleeping] : [...sleeping, ...own];
  return Buffer.concat([...order, last.bytes]);
}

function query(text: string): Buffer {
  return message('Q', `${text}\0`);
}

function message(type: string, body: string): Buffer {
  const bytes = Buffer.from(`${type}\0\0\0\0${body}`, 'utf8');
  bytes.writeInt32BE(bytes.length - 1, 1);
  return bytes;
}
