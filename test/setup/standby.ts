// A separate primary and its streaming standby, which is made from a backup while the primary runs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { takeBackup } from '../../lib/twin/server/backup.ts';
import { certificateFiles } from '../../lib/twin/server/certificate.ts';
import { withClient } from '../../lib/twin/server/client.ts';
import { startEmbedded } from '../../lib/twin/server/embedded.ts';
import { freePort } from '../../lib/twin/server/free-port.ts';
import { handOver, makeHome } from '../../lib/twin/server/home.ts';
import type { LocalServer, ServerAddress } from '../../lib/twin/server.ts';
import { installationOf } from '../matrix/installations.ts';

export interface Pair {
  readonly primary: LocalServer;
  readonly standby: ServerAddress;
  stop(): Promise<void>;
}

/** PostgreSQL 14 has the functions of a backup by other names. */
const OLD_NAMES = `
  CREATE FUNCTION public.pg_backup_start(label text, fast boolean) RETURNS pg_lsn
    LANGUAGE sql AS 'SELECT pg_start_backup(label, fast, false)';
  CREATE FUNCTION public.pg_backup_stop(wait_for_archive boolean, OUT lsn pg_lsn, OUT labelfile text)
    LANGUAGE sql AS 'SELECT lsn, labelfile FROM pg_stop_backup(false, wait_for_archive)'`;

/** The standby is ready to be asked; it receives from 127.0.0.1. */
export async function startPair(): Promise<Pair> {
  const { TEST_POSTGRES } = process.env;
  const installation = TEST_POSTGRES ? await installationOf(Number(TEST_POSTGRES)) : undefined;
  const primary = await startEmbedded({ installation });
  const home = await makeHome(installation);
  const data = join(home.directory, 'data');
  await withClient(primary, 'postgres', async (client) => {
    const { rows } = await client.query('SHOW data_directory');
    const { data_directory: original } = rows[0];
    if (primary.majorVersion < 15) await client.query(OLD_NAMES);
    await takeBackup(client, original, data);
    await cp(join(dirname(original), 'tls'), join(home.directory, 'tls'), { recursive: true });
  });
  await writeFile(join(data, 'standby.signal'), '');
  await chmod(data, 0o700);
  await handOver(home);
  const standby = { ...primary, port: await freePort() };
  const { certificate, key } = certificateFiles(join(home.directory, 'tls'));
  const settings = [
    `port=${standby.port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'ssl=on',
    `ssl_cert_file=${certificate}`,
    `ssl_key_file=${key}`,
    `primary_conninfo=host=127.0.0.1 port=${primary.port} user=${primary.user} password=${primary.password}`,
  ];
  const program = spawn(
    join(home.programs, 'postgres'),
    ['-D', data, ...settings.flatMap((setting) => ['-c', setting])],
    { ...home.user, cwd: home.directory, stdio: 'ignore' },
  );
  const ended = once(program, 'exit');
  await untilReady(standby);
  return {
    primary,
    standby,
    async stop() {
      program.kill('SIGINT');
      await ended;
      await rm(home.directory, { recursive: true, force: true });
      await primary.stop();
    },
  };
}

async function untilReady(standby: ServerAddress): Promise<void> {
  for (let tries = 0; ; tries++) {
    const isReady = await withClient(standby, 'postgres', async (client) => {
      const { rows } = await client.query('SELECT FROM pg_stat_wal_receiver WHERE sender_host IS NOT NULL');
      return rows.length > 0;
    }).catch((error: unknown) => {
      if (tries > 600) throw error;
      return false;
    });
    if (isReady) return;
    if (tries > 600) throw new Error('The standby does not receive from its primary.');
    await sleep(50);
  }
}
