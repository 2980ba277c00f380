// A server that speaks another language: every field that PostgreSQL translates is in other words.
import { MessageReader } from '../faults/wire.ts';
import type { Disturbance } from './proxy.ts';

/** The severities in German. */
const SEVERITIES: Readonly<Record<string, string>> = {
  ERROR: 'FEHLER',
  FATAL: 'FATAL',
  PANIC: 'PANIK',
  NOTICE: 'HINWEIS',
  WARNING: 'WARNUNG',
  INFO: 'INFORMATION',
  LOG: 'LOGMELDUNG',
};

/** For one connection: translates errors and notices on their way to the client. Not for a connection with TLS. */
export function translated(): Disturbance {
  const reader = new MessageReader(true);
  return {
    toClient: (bytes) =>
      Buffer.concat(
        reader
          .read(bytes)
          .map(({ type, bytes }) => (type === 'E' || type === 'N' ? translate(bytes) : bytes)),
      ),
  };
}

function translate(bytes: Buffer): Buffer {
  const fields = bytes.toString('utf8', 5).split('\0').filter(Boolean);
  // The words of RAISE are the revision's own, in whatever language.
  const isRaised = fields.includes('Rexec_stmt_raise');
  const body = fields.map((field) => `${translateField(field, isRaised)}\0`).join('');
  const text = Buffer.from(`${body}\0`);
  const header = Buffer.from(bytes.subarray(0, 5));
  header.writeInt32BE(text.length + 4, 1);
  return Buffer.concat([header, text]);
}

function translateField(field: string, isRaised: boolean): string {
  const [letter = '', value] = [field[0], field.slice(1)];
  if (letter === 'S') return `S${SEVERITIES[value] ?? value}`;
  if (letter === 'W') return `W${value.replaceAll(/\b(function|line|at|statement)\b/g, 'otras')}`;
  return 'MDH'.includes(letter) && !isRaised ? `${letter}otras palabras` : field;
}
