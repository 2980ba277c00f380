// `channel_binding=require`: the server proves, with the password, that the TLS connection ends there and not in between.
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type pg from 'pg';

/** The way to log in that binds the password to the TLS connection. */
const BOUND = 'SCRAM-SHA-256-PLUS';
/** The server would learn the password, or enough of it to guess; or it asks for no password. */
const UNBOUND = ['authenticationCleartextPassword', 'authenticationMD5Password', 'authenticationOk'];

/**
 * Cuts the connection if the login is not bound to it. To be called before the client connects.
 *
 * @returns whether the connection was cut
 */
export function requireBinding(client: pg.Client): () => boolean {
  const { connection, ssl } = client as unknown as {
    connection: EventEmitter & { stream: Socket };
    ssl: unknown;
  };
  let isBound = false;
  let isCut = false;
  const cutUnlessBound = () => {
    if (isBound) return;
    isCut = true;
    connection.stream.destroy();
  };
  connection.on('authenticationSASL', ({ mechanisms }: { mechanisms: readonly string[] }) => {
    isBound = Boolean(ssl) && mechanisms.includes(BOUND);
    cutUnlessBound();
  });
  for (const request of UNBOUND) connection.on(request, cutUnlessBound);
  return () => isCut;
}
