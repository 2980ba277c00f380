// A revision with random damage is read with all its steps, or refused with RevisionInvalid.

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { readChain } from '../../lambda/migrator/revisions/chain.ts';
import { requireRunnable } from '../../lambda/migrator/revisions/runnable.ts';
import { MIGRATIONS } from '../../lib/paths.ts';
import { reader } from '../setup/revisions.ts';
import { civilly, numRuns } from './runs.ts';

const FILES = [
  'upgrade.sql',
  'downgrade.sql',
  'verify/before-upgrade.sql',
  'verify/after-upgrade.sql',
  'verify/before-downgrade.sql',
  'verify/after-downgrade.sql',
] as const;
const chain = mkdtempSync(join(tmpdir(), 'backstop-test-'));
const folder = join(chain, '002');
afterAll(() => rmSync(chain, { recursive: true }));
cpSync(join(MIGRATIONS, 'codebase_mcp/002_remove_non_search_tables'), folder, { recursive: true });
const upgrade = join(folder, 'upgrade.sql');
writeFileSync(upgrade, readFileSync(upgrade, 'utf8').replace(/^-- Revises: .*$/m, '-- Revises: <base>'));

const piece = fc.oneof(
  fc.uint8Array({ maxLength: 8 }),
  fc
    .constantFrom(
      '-- step:',
      '-- check: V1.1',
      '-- Revises: 002',
      '\n',
      '\r',
      '\0',
      "'",
      '$$',
      '/*',
      'COMMIT;',
      '\uFEFF',
    )
    .map((text) => Buffer.from(text)),
);
/** Cuts `length` bytes out at a place between the beginning (0) and the end (1), and puts others there. */
const damage = fc.record({
  file: fc.constantFrom(...FILES),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.oneof(fc.constant(0), fc.nat(64), fc.nat(100_000)),
  piece,
});

function damaged(
  whole: Buffer,
  { at, length, piece }: { at: number; length: number; piece: Uint8Array },
): Buffer {
  const from = Math.floor(at * whole.length);
  return Buffer.concat([whole.subarray(0, from), piece, whole.subarray(from + length)]);
}

test('a revision with random damage is read or refused with RevisionInvalid', async () => {
  await fc.assert(
    fc.asyncProperty(damage, async (how) => {
      const path = join(folder, how.file);
      const whole = readFileSync(path);
      writeFileSync(path, damaged(whole, how));
      const read = await civilly(() => {
        const { revisions } = readChain(chain, reader);
        for (const direction of ['upgrade', 'downgrade'] as const) requireRunnable(revisions, direction);
        return { revisions };
      }, ['RevisionInvalid']);
      writeFileSync(path, whole);
      for (const { sql, title } of read?.revisions[0]?.upgrade.steps ?? []) {
        expect([sql, title]).toEqual([expect.stringMatching(/\S/), expect.stringMatching(/\S/)]);
      }
    }),
    { numRuns },
  );
});

test.each(FILES)('a folder instead of the file %s is refused with RevisionInvalid', async (file) => {
  const path = join(folder, file);
  const whole = readFileSync(path);
  rmSync(path);
  mkdirSync(path);
  expect(await civilly(() => readChain(chain, reader), ['RevisionInvalid'])).toBeUndefined();
  rmSync(path, { recursive: true });
  writeFileSync(path, whole);
});
