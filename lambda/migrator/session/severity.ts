// The untranslated severity of the server's notices (field V of the protocol), which node-postgres does not read.
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type pg from 'pg';

/** The type of a message (1 byte) and its length (4 bytes, which count themselves). */
const HEADER_BYTES = 5;
const NOTICE = 'N'.charCodeAt(0);
/** S, the severity in the server's language, and V come first, and are short. */
const FIELDS_BYTES = 200;

/**
 * From now on the notices of this client have the untranslated severity: `DEBUG`, `LOG`, `INFO`, `NOTICE`, `WARNING`. To
 * be called before the client connects.
 */
export function untranslateSeverity(client: pg.Client): void {
  const { connection, ssl } = client as unknown as {
    connection: EventEmitter & { stream: Socket };
    ssl: unknown;
  };
  const read: string[] = [];
  connection.once(ssl ? 'sslconnect' : 'connect', () => {
    const reader = new SeverityReader((severity) => read.push(severity));
    // Before the driver's own reader, so that the severity is there when the driver emits the notice.
    connection.stream.prependListener('data', (bytes: Buffer) => reader.read(bytes));
  });
  connection.on('notice', (notice: { severity?: string | undefined }) => {
    notice.severity = read.shift() || notice.severity;
  });
}

/** Reads the messages of the server as they come in, and holds of each only its beginning. */
export class SeverityReader {
  readonly #found: (severity: string) => void;
  /** The beginning of the message that is not complete yet. */
  #beginning: Buffer = Buffer.alloc(0);
  /** How many bytes of the message are of no interest. */
  #skip = 0;

  /** @param found called for each notice; '' if the server is older than field V */
  constructor(found: (severity: string) => void) {
    this.#found = found;
  }

  read(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      const skipped = Math.min(this.#skip, bytes.length - at);
      this.#skip -= skipped;
      at += skipped;
      at += this.#take(bytes.subarray(at));
    }
  }

  /** Takes the beginning of a message, or as much of it as is there, and returns how many bytes that is. */
  #take(bytes: Buffer): number {
    const held = this.#beginning.length;
    const start = Buffer.concat([this.#beginning, bytes.subarray(0, HEADER_BYTES + FIELDS_BYTES - held)]);
    const wanted = wantedOf(start);
    if (start.length < wanted) {
      this.#beginning = start;
      return start.length - held;
    }
    this.#beginning = Buffer.alloc(0);
    this.#skip = 1 + start.readUInt32BE(1) - wanted;
    if (start[0] === NOTICE) this.#found(severityIn(start.subarray(HEADER_BYTES, wanted)));
    return wanted - held;
  }
}

/** How many bytes of the message must be read. */
function wantedOf(start: Buffer): number {
  if (start.length < HEADER_BYTES) return HEADER_BYTES;
  return start[0] === NOTICE
    ? Math.min(1 + start.readUInt32BE(1), HEADER_BYTES + FIELDS_BYTES)
    : HEADER_BYTES;
}

/** Each field is a letter and a text that ends with a zero. */
function severityIn(fields: Buffer): string {
  const severity = fields
    .toString('utf8')
    .split('\0')
    .find((field) => field.startsWith('V'));
  return severity?.slice(1) ?? '';
}
