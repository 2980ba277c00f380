// A whole synthesis with bundles: the content and the size of each asset, and that two runs give the same result.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../lib/paths.ts';
import { DELIVERY_STACK, STACK } from '../../lib/synthesize.ts';
import { DELIVERY } from './apps.ts';

const folder = mkdtempSync(join(tmpdir(), 'backstop-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Synthesizes in a separate process, as `npm start` does, and returns the standard output. */
function synthesizeInto(outdir: string, overrides: object): string {
  const script = `
    import { synthesize } from ${JSON.stringify(join(ROOT, 'lib/synthesize.ts'))};
    synthesize(${JSON.stringify(outdir)}, ${JSON.stringify(overrides)});`;
  return execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: tmpdir(),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

const certificates = join(folder, 'ca.pem');
const first = join(folder, 'first');
const second = join(folder, 'second');
let output: string;
let assets: string[];

beforeAll(() => {
  writeFileSync(certificates, '-----BEGIN CERTIFICATE-----\n');
  const overrides = { caBundle: certificates, delivery: DELIVERY };
  output = synthesizeInto(first, overrides);
  synthesizeInto(second, overrides);
  assets = readdirSync(first).filter((name) => name.startsWith('asset.'));
}, 120_000);

test('writes nothing on standard output', () => {
  expect(output).toBe('');
});

test('makes one asset a function, each under 1 MB', () => {
  expect(assets).toHaveLength(11);
  for (const asset of assets) expect(statSync(join(first, asset, 'index.js')).size).toBeLessThan(1_000_000);
});

test('lays revisions and certificates beside the functions that speak to the database, and only there', () => {
  const withMigrations = assets.filter((asset) =>
    existsSync(join(first, asset, 'migrations/databases.json')),
  );
  const withCertificates = assets.filter((asset) => existsSync(join(first, asset, 'ca-bundle.pem')));
  expect(withMigrations).toHaveLength(6);
  expect(withCertificates).toEqual(withMigrations);
});

test('tells the functions of the certificates instead of the runtime’s own', () => {
  const template = readFileSync(join(first, 'Backstop.template.json'), 'utf8');
  expect(template).toContain('"BACKSTOP_CA_FILE": "ca-bundle.pem"');
  expect(template).not.toContain('NODE_EXTRA_CA_CERTS');
});

test.each([STACK, DELIVERY_STACK])(
  'makes the same template of %s, the same assets, a second time',
  (stack) => {
    const template = (outdir: string) => readFileSync(join(outdir, `${stack}.template.json`), 'utf8');
    expect(template(second)).toBe(template(first));
    expect(readdirSync(second).filter((name) => name.startsWith('asset.'))).toEqual(assets);
  },
);
