// `npm run licences`: writes the bill of materials and the licences of all that is shipped, and refuses a licence that is not permitted.
import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { ROOT } from '../lib/paths.ts';
import { isPermitted } from './licences/permitted.ts';

const FOLDER = join(ROOT, 'licences');

interface Locked {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
}

/** The folders of the packages that esbuild puts into the bundles of the functions, such as `node_modules/pg`. */
async function bundled(): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: globSync('lambda/*.ts', { cwd: ROOT }),
    absWorkingDir: ROOT,
    bundle: true,
    platform: 'node',
    mainFields: ['module', 'main'],
    external: ['pg-native'],
    outdir: FOLDER,
    write: false,
    metafile: true,
    logLevel: 'error',
  });
  const folders = Object.keys(metafile.inputs).map(
    (file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0],
  );
  return [...new Set(folders.filter((folder) => folder !== undefined))];
}

const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
const packages: Readonly<Record<string, Locked>> = lock.packages;
const dependencies = Object.keys(packages).filter((folder) => folder !== '' && !packages[folder]?.dev);
const shipped = [...new Set([...dependencies, ...(await bundled())])].sort();

const rows = shipped.map((folder) => {
  const { version, license } = packages[folder] ?? {
    version: 'not in package-lock.json',
    license: undefined,
  };
  return { name: `${folder.split('node_modules/').at(-1)} ${version}`, license };
});
mkdirSync(FOLDER, { recursive: true });
writeFileSync(
  join(FOLDER, 'licences.txt'),
  rows.map(({ name, license }) => `${name}: ${license ?? 'no licence'}\n`).join(''),
);
const sbom = ['sbom', '--sbom-format', 'cyclonedx', '--omit=dev', '--offline'];
writeFileSync(join(FOLDER, 'sbom.cdx.json'), execFileSync('npm', sbom, { cwd: ROOT, maxBuffer: 1 << 26 }));

const refused = rows.filter(({ license }) => !isPermitted(license));
for (const { name, license } of refused)
  console.error(`${name}: ${license ?? 'no licence'} is not permitted`);
console.log(`${rows.length} packages are shipped, ${refused.length} with a licence that is not permitted.`);
if (refused.length > 0) process.exitCode = 1;
