// Bundles a handler and everything it imports into one small file, and copies the migrations beside it.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type BundlingOptions, LogLevel, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { READINGS_FILE } from '../lambda/migrator/grammar/bundled.ts';
import { MIGRATIONS, ROOT } from './paths.ts';

/** The name of the certificate bundle in the asset. */
export const CA_FILE = 'ca-bundle.pem';
/** The name of the folder of revisions in the asset. */
export const MIGRATIONS_FOLDER = 'migrations';

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

/** For the functions that speak to the database: the revisions lie beside the code, and the certificates, if configured. */
export function bundlingWithMigrations(caBundle: string | undefined): BundlingOptions {
  return {
    ...BUNDLING,
    commandHooks: {
      beforeInstall: () => [],
      beforeBundling: () => [],
      afterBundling: (_, asset) => [
        copy(MIGRATIONS, `${asset}/${MIGRATIONS_FOLDER}`),
        copy(readings(), `${asset}/${MIGRATIONS_FOLDER}/${READINGS_FILE}`),
        ...(caBundle === undefined ? [] : [copy(resolve(ROOT, caBundle), `${asset}/${CA_FILE}`)]),
      ],
    },
  };
}

let written: string | undefined;

/** The file of readings, written once for all functions. The grammar is loaded asynchronously, which only a program can wait for. */
function readings(): string {
  if (written === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'backstop-readings-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    written = join(folder, READINGS_FILE);
    execFileSync(process.execPath, [join(import.meta.dirname, 'write-readings.ts'), MIGRATIONS, written]);
  }
  return written;
}

/** A command that copies a file or a folder in every shell that esbuild is started from: bash and cmd. */
function copy(from: string, to: string): string {
  return `node -e "require('fs').cpSync(process.argv[1], process.argv[2], { recursive: true })" "${from}" "${to}"`;
}
