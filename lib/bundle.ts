// Bundles a handler and everything it imports into one small file, and copies what it reads beside it.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type BundlingOptions, LogLevel, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { READINGS_FILE } from '../lambda/migrator/grammar/bundled.ts';
import { MIGRATIONS, ROOT } from './paths.ts';

/** The name of the certificate bundle in the asset. */
export const CA_FILE = 'ca-bundle.pem';
/** The name of the folder of revisions in the asset. */
export const MIGRATIONS_FOLDER = 'migrations';
/** The name of the file in the asset that has the servers and logins of the databases. */
export const DATABASES_FILE = 'deployed-databases.json';

/** The SDK is bundled, too: the tests ran with this version, and the runtime brings another. */
export const BUNDLING: BundlingOptions = {
  minify: true,
  bundleAwsSDK: true,
  mainFields: ['module', 'main'],
  format: OutputFormat.CJS,
  target: 'node24',
  logLevel: LogLevel.WARNING,
  // pg loads this native driver only if it is installed.
  externalModules: ['pg-native'],
};

/** For a function that has to know the databases: an environment has 4 KB, which some 30 of them fill. */
export function bundlingWithDatabases(databases: object): BundlingOptions {
  return bundlingWith(() => ({ [DATABASES_FILE]: writeOnce(JSON.stringify(databases)) }));
}

/** For the functions that speak to a database: the revisions, too, and the certificates, if configured. */
export function bundlingWithMigrations(databases: object, caBundle: string | undefined): BundlingOptions {
  return bundlingWith(() => ({
    [DATABASES_FILE]: writeOnce(JSON.stringify(databases)),
    [MIGRATIONS_FOLDER]: MIGRATIONS,
    [`${MIGRATIONS_FOLDER}/${READINGS_FILE}`]: readings(),
    ...(caBundle !== undefined && { [CA_FILE]: resolve(ROOT, caBundle) }),
  }));
}

/** @param files path in the asset → the file or folder that is copied there; called if there is an asset at all */
function bundlingWith(files: () => Readonly<Record<string, string>>): BundlingOptions {
  return {
    ...BUNDLING,
    commandHooks: {
      beforeInstall: () => [],
      beforeBundling: () => [],
      afterBundling: (_, asset) =>
        Object.entries(files()).map(([path, source]) => copy(source, `${asset}/${path}`)),
    },
  };
}

let folder: string | undefined;

/** For files that exist while this program runs. */
function temporaryFolder(): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'backstop-bundle-'));
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  return folder;
}

function writeOnce(content: string): string {
  const file = join(temporaryFolder(), `${createHash('sha256').update(content).digest('hex')}.json`);
  writeFileSync(file, content);
  return file;
}

let written: string | undefined;

/** The file of readings, written once for all functions. The grammar is loaded asynchronously, which only a program can wait for. */
function readings(): string {
  if (written === undefined) {
    const file = join(temporaryFolder(), READINGS_FILE);
    execFileSync(process.execPath, [join(import.meta.dirname, 'write-readings.ts'), MIGRATIONS, file]);
    written = file;
  }
  return written;
}

/** A command that copies a file or a folder in every shell that esbuild is started from: bash and cmd. */
function copy(from: string, to: string): string {
  return `node -e "require('fs').cpSync(process.argv[1], process.argv[2], { recursive: true })" "${from}" "${to}"`;
}
