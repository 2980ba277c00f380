// A separate server for one test file, which can crash, start again, and run short of resources.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../lib/paths.ts';
import { contentOf } from '../../lib/twin/data/content.ts';
import { withClient } from '../../lib/twin/server/client.ts';
import { freePort } from '../../lib/twin/server/free-port.ts';
import { type Home, handOver, makeHome } from '../../lib/twin/server/home.ts';
import { type LocalServer, startServer } from '../../lib/twin/server.ts';
import { prepareDatabase } from '../../lib/twin/twin.ts';
import { codebaseMcp, connectorFor } from '../setup/database.ts';
import { until } from '../setup/sessions.ts';
import { urlOf } from '../setup/url.ts';
import { administratorOf, type CaseDatabase } from './databases.ts';

export interface OwnServer extends AsyncDisposable {
  readonly home: Home;
  /** A new database at 005, each as the other. */
  database(): Promise<CaseDatabase>;
  /** The same database, looked at by new sessions. */
  again(database: CaseDatabase): Promise<CaseDatabase>;
  /** Ends the sessions of the database. */
  leave(database: CaseDatabase): Promise<void>;
  /** Stops it at once, as a crash would, and starts it again. */
  restart(): Promise<void>;
}

/** @param settings of postgresql.conf, `name=value` */
export async function startOwnServer(...settings: string[]): Promise<OwnServer> {
  const home = await makeHome();
  const vector = join(home.directory, 'vector');
  await cp(join(ROOT, 'lib/twin/server/vector'), vector, { recursive: true });
  await handOver(home);
  const data = join(home.directory, 'data');
  const initdb = ['-D', data, '-U', 'postgres', '--auth=trust', '--locale=C', '--encoding=UTF8', '--no-sync'];
  await promisify(execFile)(join(home.programs, 'initdb'), initdb, { ...home.user, cwd: home.directory });
  const port = await freePort();
  const all = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'fsync=off',
    `extension_control_path=$system:${vector}`,
    ...settings,
  ];
  const url = urlOf({ host: '127.0.0.1', port, user: 'postgres', password: '', tls: 'off' }, 'postgres');
  const start = async (): Promise<[ChildProcess, LocalServer]> => {
    const args = ['-D', data, ...all.flatMap((setting) => ['-c', setting])];
    const options = { ...home.user, cwd: home.directory, stdio: 'ignore' } as const;
    const server = spawn(join(home.programs, 'postgres'), args, options);
    return [server, await until('the start of the server', () => startServer(url).catch(() => undefined))];
  };
  const stop = async (server: ChildProcess) => {
    const exited = once(server, 'exit');
    server.kill('SIGQUIT');
    await exited;
  };
  let [process, server] = await start();
  const content = contentOf('codebase_mcp', { repositories: 3, chunksPerRepository: 20, seed: 1 });
  const template = await prepareDatabase(server, 'at005', codebaseMcp, content);
  await withClient(server, 'at005', (client) => client.query('DROP SCHEMA backstop CASCADE'));
  const look = async (
    settings: CaseDatabase['settings'],
    drop: CaseDatabase['drop'],
  ): Promise<CaseDatabase> => ({
    settings,
    reader: await connectorFor(settings)('reader'),
    administrator: administratorOf(server),
    drop,
  });
  let made = 0;
  return {
    home,
    async database() {
      made += 1;
      const database = `place_${made}`;
      await server.createDatabase(database, template.database);
      await withClient(server, 'postgres', (client) =>
        client.query(`ALTER DATABASE ${database} OWNER TO ${template.user}`),
      );
      return look({ ...template, database }, () => server.dropDatabase(database));
    },
    again: ({ settings, drop }) => look(settings, drop),
    async leave({ reader, administrator }) {
      await Promise.all([reader.end(), administrator.end()]);
    },
    async restart() {
      await stop(process);
      [process] = await start();
    },
    async [Symbol.asyncDispose]() {
      await stop(process);
      await rm(home.directory, { recursive: true, force: true });
    },
  };
}
