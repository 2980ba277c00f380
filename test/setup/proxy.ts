// A network that can be disturbed: a TCP proxy before the test server, which sees, changes and drops what passes.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { ConnectionSettings } from '../../lambda/migrator/session/settings.ts';

/** Changes bytes on their way: the proxy forwards only the returned bytes. */
export type Passage = (bytes: Buffer) => Buffer | undefined;

export interface Disturbance {
  readonly toServer?: Passage;
  readonly toClient?: Passage;
}

export interface NetworkProxy {
  /** How to connect through the proxy; without TLS, for it must read what it passes on. */
  readonly settings: ConnectionSettings;
  /** Ends all connections at once, in both directions. */
  cut(): void;
  /** Ends all connections, and every later one as soon as it is made. */
  close(): void;
  stop(): Promise<void>;
}

/** @param disturb called for each connection, with the proxy, because a disturbance usually ends in a cut */
export async function startProxy(
  settings: ConnectionSettings,
  disturb: (proxy: NetworkProxy) => Disturbance = () => ({}),
): Promise<NetworkProxy> {
  const sockets = new Set<Socket>();
  let closed = false;
  const relay = (from: Socket, to: Socket, passage: Passage) => {
    sockets.add(from);
    from.on('data', (bytes) => {
      const passed = passage(bytes);
      if (passed && to.writable) to.write(passed);
    });
    // An end that goes takes the other along, as it would without a proxy in between.
    from.on('error', () => {});
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const listener = createServer((client) => {
    if (closed) {
      client.destroy();
      return;
    }
    const { toServer = unchanged, toClient = unchanged } = disturb(proxy);
    const server = connect(settings.port, settings.host);
    relay(client, server, toServer);
    relay(server, client, toClient);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const proxy: NetworkProxy = {
    settings: { ...settings, host: '127.0.0.1', port, tls: { mode: 'off' } },
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    close() {
      closed = true;
      proxy.cut();
    },
    async stop() {
      proxy.close();
      listener.close();
      await once(listener, 'close');
    },
  };
  return proxy;
}

const unchanged: Passage = (bytes) => bytes;
