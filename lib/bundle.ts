// How a handler and everything it imports become one small file, and what lies beside that file in the asset.
import { resolve } from 'node:path';
import { type BundlingOptions, LogLevel, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { MIGRATIONS, ROOT } from './paths.ts';

/** The name of the certificate bundle in the asset. */
export const CA_FILE = 'ca-bundle.pem';
/** The name of the folder of revisions in the asset. */
export const MIGRATIONS_FOLDER = 'migrations';

/** The SDK is bundled, too: its version is then the one that was tested, not the one that the runtime brings. */
export const BUNDLING: BundlingOptions = {
  minify: true,
  bundleAwsSDK: true,
  mainFields: ['module', 'main'],
  format: OutputFormat.CJS,
  target: 'node24',
  logLevel: LogLevel.WARNING,
  // pg loads this native driver only where it is installed.
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
        ...(caBundle === undefined ? [] : [copy(resolve(ROOT, caBundle), `${asset}/${CA_FILE}`)]),
      ],
    },
  };
}

/** A command that copies a file or a folder in every shell that esbuild is started from: bash and cmd. */
function copy(from: string, to: string): string {
  return `node -e "require('fs').cpSync(process.argv[1], process.argv[2], { recursive: true })" "${from}" "${to}"`;
}
