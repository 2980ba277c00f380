// A server that cannot or may not do what it is asked: nothing is changed, and the ending says why.
import { execFile } from 'node:child_process';
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connectorFor } from '../setup/database.ts';
import { type CaseDatabase, observe } from './databases.ts';
import { startOwnServer } from './own-server.ts';
import { runEngine } from './runners.ts';
import { readFingerprint } from './states.ts';
import { VERBS } from './verbs.ts';
import { expectNothingLeft, isCommitted } from './verify.ts';

const run = promisify(execFile);
const server = await startOwnServer('max_connections=20', 'max_locks_per_transaction=10');
const script = await observe('upgrade', await server.database());

/** A file system of a few megabytes; undefined if this user may not mount one. */
async function smallDisk(): Promise<string | undefined> {
  const folder = join(server.home.directory, 'disk');
  await mkdir(folder);
  const owner = server.home.user ? [`uid=${server.home.user.uid}`, `gid=${server.home.user.gid}`] : [];
  const options = ['size=64m', 'mode=700', ...owner].join(',');
  return run('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]).then(
    () => folder,
    () => undefined,
  );
}
const disk = await smallDisk();

afterAll(async () => {
  if (disk) await run('umount', ['-l', disk]);
  await server[Symbol.asyncDispose]();
});

/** Upgrades there, and expects nothing but an ending with these words. */
async function expectEnding(
  database: CaseDatabase,
  text: RegExp,
  { settings = database.settings, relieve = async () => {}, error = 'MigrationFailed' } = {},
): Promise<void> {
  const told = await runEngine(VERBS.upgrade, settings).told;
  await relieve();
  expect(told).toEqual({ error, text: expect.stringMatching(text) });
  await expectNothingLeft(database);
  expect(isCommitted(await readFingerprint(database.reader), script)).toBe(false);
}

/** The same once the reason is gone. */
async function expectUpgrade(database: CaseDatabase): Promise<void> {
  expect(await runEngine(VERBS.upgrade, database.settings).told).toEqual({ outcome: 'upgraded' });
  expect(isCommitted(await readFingerprint(database.reader), script)).toBe(true);
}

(disk ? test : test.skip)('a full disk', async () => {
  const database = await server.database();
  const { database: name } = database.settings;
  await database.administrator.query(`CREATE TABLESPACE small LOCATION '${disk}'`);
  await database.reader.end();
  await database.administrator.query(`ALTER DATABASE ${name} SET TABLESPACE small`);
  const moved = await server.again(database);
  const filler = join(disk as string, 'filler');
  const { bavail, bsize } = await statfs(disk as string);
  await writeFile(filler, Buffer.alloc(bavail * bsize));
  await expectEnding(moved, /No space left on device \(SQLSTATE 53100\)/, { relieve: () => rm(filler) });
  await expectUpgrade(moved);
});

test('no memory for another lock', async () => {
  const database = await server.database();
  const hoarder = await connectorFor({ ...database.settings, database: 'postgres' })('hoarder');
  await hoarder.query(`DO $$
    BEGIN
      FOR number IN 1..1000000 LOOP PERFORM pg_advisory_lock(number); END LOOP;
    EXCEPTION WHEN out_of_memory THEN NULL;
    END $$`);
  // Enough to come as far as to the steps.
  await hoarder.query('SELECT pg_advisory_unlock(number) FROM generate_series(1, 30) AS number');
  await expectEnding(database, /out of shared memory \(SQLSTATE 53200\)/, { relieve: () => hoarder.end() });
  await expectUpgrade(database);
});

test('a role that may only read', async () => {
  const database = await server.database();
  await database.administrator.query('CREATE ROLE reader LOGIN IN ROLE pg_read_all_data');
  await expectEnding(database, /GRANT CREATE ON DATABASE .* TO "reader"/, {
    settings: { ...database.settings, user: 'reader' },
    error: 'PrivilegeMissing',
  });
  await expectUpgrade(database);
});
