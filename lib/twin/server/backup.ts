// A physical backup of a running server, by PostgreSQL's low-level API: the files as they are, and the log that makes them one.
import type { Dirent } from 'node:fs';
import { mkdir, open, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from 'pg';
import type { Progress } from './server.ts';

/** Directories whose contents a backup leaves out ("Backing Up the Data Directory" in PostgreSQL's documentation). */
const EMPTIED = new Set([
  'pg_dynshmem',
  'pg_notify',
  'pg_replslot',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
  // Copied at the end, when it is known which segments are needed.
  'pg_wal',
]);
const LEFT_OUT = /^(postmaster\.(pid|opts)|pg_internal\.init.*|pgsql_tmp.*)$/;

/** How much is read at once. */
const COPY_BYTES = 1 << 20;

interface DataFile {
  /** Relative to the data directory. */
  readonly path: string;
  readonly bytes: number;
}

/**
 * Copies the data directory to `target`, a new folder, while the server is written to. A server started on the copy
 * recovers to the state at the end of the backup.
 * @param client a session of the server that stays open meanwhile; if it ends, so does the server's backup mode.
 */
export async function takeBackup(
  client: Client,
  dataDirectory: string,
  target: string,
  progress: Progress = () => {},
): Promise<void> {
  // The slot keeps every log segment from here on until this session ends, however much is written meanwhile.
  await client.query(
    `SELECT pg_create_physical_replication_slot('backup_' || pg_backend_pid(), immediately_reserve => true, temporary => true)`,
  );
  const start = await client.query<{ segment: string }>(
    `SELECT pg_walfile_name(pg_backup_start('backstop', fast => true)) AS segment`,
  );
  const buffer = Buffer.allocUnsafe(COPY_BYTES);
  await copyDataFiles(dataDirectory, target, buffer, progress);

  const stop = await client.query<{ segment: string; labelfile: string }>(
    'SELECT pg_walfile_name(lsn) AS segment, labelfile FROM pg_backup_stop(wait_for_archive => false)',
  );
  const [first, last] = [start.rows[0]?.segment ?? '', stop.rows[0]?.segment ?? ''];
  for (const segment of await readdir(join(dataDirectory, 'pg_wal'))) {
    if (/^[0-9A-F]{24}$/.test(segment) && first <= segment && segment <= last) {
      await copyFile(join(dataDirectory, 'pg_wal', segment), join(target, 'pg_wal', segment), buffer);
    }
  }
  // Without the label the copy would start from whatever checkpoint it holds, and be corrupt.
  await writeFile(join(target, 'backup_label'), stop.rows[0]?.labelfile ?? '');
}

async function copyDataFiles(
  source: string,
  target: string,
  buffer: Buffer,
  progress: Progress,
): Promise<void> {
  await mkdir(target, { mode: 0o700 });
  const files = await reproduceDirectories(source, target);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  for (const { path } of files) {
    await copyFile(join(source, path), join(target, path), buffer, (bytes) => {
      done += bytes;
      // A file may have grown since it was listed.
      progress(Math.min(done, total), total);
    });
  }
}

/** Makes the same directories in `target`, and lists the files that belong in them. */
async function reproduceDirectories(source: string, target: string, path = ''): Promise<DataFile[]> {
  const files: DataFile[] = [];
  for (const entry of await ifThere(readdir(join(source, path), { withFileTypes: true }), [] as Dirent[])) {
    const inner = join(path, entry.name);
    if (LEFT_OUT.test(entry.name)) continue;
    if (entry.isDirectory()) {
      await mkdir(join(target, inner), { mode: 0o700 });
      if (!EMPTIED.has(inner)) files.push(...(await reproduceDirectories(source, target, inner)));
    } else {
      const found = await ifThere(stat(join(source, inner)), undefined);
      if (found) files.push({ path: inner, bytes: found.size });
    }
  }
  return files;
}

/** Copies what is there: files may grow, shrink or vanish meanwhile, and the log repairs it. */
async function copyFile(
  from: string,
  to: string,
  buffer: Buffer,
  copied: (bytes: number) => void = () => {},
): Promise<void> {
  await using source = await ifThere(open(from), undefined);
  if (!source) return;
  await using target = await open(to, 'w', 0o600);
  for (;;) {
    const { bytesRead } = await source.read(buffer);
    if (bytesRead === 0) return;
    await target.appendFile(buffer.subarray(0, bytesRead));
    copied(bytesRead);
  }
}

async function ifThere<T>(result: Promise<T>, otherwise: T): Promise<T> {
  return result.catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return otherwise;
    throw error;
  });
}
