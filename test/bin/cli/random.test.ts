// Random arguments and random folders: a documented exit status, a sentence, and nothing written. BACKSTOP_FUZZ_RUNS makes it as many cases as wanted.
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { verbs } from '../../../bin/cli/verbs.ts';
import { BackstopError } from '../../../lambda/migrator/model/errors.ts';
import { readChain } from '../../../lambda/migrator/revisions/chain.ts';
import { resolveTarget } from '../../../lambda/migrator/revisions/target.ts';
import { databaseOf, type Files, reader } from '../../setup/revisions.ts';
import { backstop, type Circumstances, UNREACHABLE } from './program.ts';
import { folderOf, migrationsOf } from './project.ts';

const numRuns = Number(process.env.BACKSTOP_FUZZ_RUNS ?? 200);
const PASSWORD = 'sesame';
/** The only address is a port on which no server listens. */
const NOWHERE = { PGHOST: '127.0.0.1', PGPORT: '1', PGUSER: 'me' };

const listing = (folder: string) =>
  readdirSync(folder, { recursive: true })
    .map((path) => `${path} ${statSync(join(folder, String(path))).mtimeMs}`)
    .sort();

async function expectCivil(
  args: readonly string[],
  folder: string,
  { env, ...rest }: Circumstances = {},
): Promise<void> {
  const before = listing(folder);
  const { status, out, err } = await backstop(args, { env: { ...NOWHERE, ...env }, ...rest });
  const said = [...out, ...err].join('\n');
  expect([0, 1, 2]).toContain(status);
  expect(said).not.toMatch(/^\s+at .*:\d+/m);
  expect(said).not.toContain('This is a bug in Backstop');
  expect(said).not.toContain(PASSWORD);
  if (status === 2) expect(err.join('\n')).toMatch(/\S/);
  expect(listing(folder)).toEqual(before);
}

const migrations = migrationsOf({
  plain: { revisions: [{ id: '001' }, { id: '003', revises: '001' }, { id: '003a', revises: '003' }] },
  left: { branch: 'left', revisions: [{ id: 'abc1' }, { id: 'abd2', revises: 'abc1' }] },
});

/** Arbitrary text, and text of the pieces that mean something. */
const targets = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc
    .array(
      fc.constantFrom(
        'head',
        'heads',
        'base',
        '<base>',
        '001',
        '003',
        '003a',
        'ab',
        'left',
        '@',
        ':',
        '+',
        '-',
        '1',
        '99',
        '',
        ' ',
      ),
      { maxLength: 5 },
    )
    .map((parts) => parts.join('')),
);

describe('random targets', () => {
  const { chain } = databaseOf({ id: '001' }, { id: '003', revises: '001' }, { id: '003a', revises: '003' });

  test('name a revision of the chain, or are refused with a remedy', () => {
    fc.assert(
      fc.property(fc.constantFrom('base', '001', '003', '003a'), targets, (current, target) => {
        try {
          expect(['base', '001', '003', '003a']).toContain(resolveTarget(chain, current, target));
        } catch (error) {
          if (!(error instanceof BackstopError)) throw error;
          expect(['UnknownRevision', 'InvalidInput']).toContain(error.name);
          expect(error.hint).toMatch(/\w/);
        }
      }),
      { numRuns: 10 * numRuns },
    );
  });

  test('end every verb that takes a target with a documented exit status', async () => {
    const uses = fc.constantFrom(
      ['show'],
      ['stamp'],
      ['upgrade'],
      ['upgrade', '--sql'],
      ['upgrade', '--dry-run'],
      ['downgrade', '--yes'],
      ['downgrade', '--sql'],
    );
    await fc.assert(
      fc.asyncProperty(uses, targets, async ([verb = '', ...options], target) => {
        const args = [verb, ...options, '--migrations', migrations, '--', target];
        await expectCivil(args, migrations, { env: { DATABASE_URL: UNREACHABLE } });
      }),
      { numRuns },
    );
  });
});

test('random arguments end with a documented exit status', async () => {
  const options = verbs.flatMap(({ options = [] }) =>
    options.flatMap(({ flags }) => flags.match(/--?[a-z-]+/g) ?? []),
  );
  const words = fc.oneof(
    targets,
    fc.constantFrom(...verbs.map(({ name }) => name), ...options),
    fc.constantFrom(
      '--json',
      '--database',
      'plain',
      'left',
      '--url',
      UNREACHABLE,
      '--help',
      '--',
      '-',
      '--=',
      '--limit=-1',
      '-n0',
    ),
    fc.string({ maxLength: 8 }),
  );
  // `revision` is the one verb that writes; it has its own tests.
  const verb = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.constantFrom(...verbs.map(({ name }) => name).filter((name) => name !== 'revision')),
    },
    { weight: 1, arbitrary: words.filter((word) => word !== 'revision') },
  );
  await fc.assert(
    fc.asyncProperty(verb, fc.array(words, { maxLength: 5 }), fc.boolean(), async (first, rest, set) => {
      fc.pre(first !== '' || rest[0] !== 'revision');
      const args = [first, '--migrations', migrations, ...rest];
      await expectCivil(args, migrations, { env: set ? { DATABASE_URL: UNREACHABLE } : {}, answers: [] });
    }),
    { numRuns },
  );
});

test('random URLs end with a documented exit status', async () => {
  const piece = fc.string({ unit: 'binary', maxLength: 8 });
  const around = fc.constantFrom(
    '',
    ':',
    '/',
    '?',
    '#',
    '@',
    '%',
    '%zz',
    '%00',
    '?sslmode=',
    '?sslmode=no',
    '?ssl=1&ssl=2',
    '?sslrootcert=/nowhere',
  );
  // A host name would be looked up.
  const host = fc.constantFrom(
    '127.0.0.1:1',
    '127.0.0.1:0',
    '127.0.0.1:99999',
    '[::1]:1',
    '[',
    ']',
    ':',
    '',
    'a,b',
    '/nowhere',
  );
  const scheme = fc.constantFrom(
    'postgresql://',
    'postgres://',
    'postgresql+asyncpg://',
    'postgresql:/',
    'mysql://',
    '',
    ' ',
  );
  const urls = fc
    .tuple(scheme, around, host, around, piece, around)
    .map(([scheme, a, host, b, database, c]) => `${scheme}me:${PASSWORD}${a}@${host}${b}/${database}${c}`);
  await fc.assert(
    fc.asyncProperty(urls, fc.boolean(), async (url, variable) => {
      const args = ['current', '--migrations', migrations, ...(variable ? [] : [`--url=${url}`])];
      await expectCivil(args, migrations, { env: variable ? { DATABASE_URL: url } : {} });
    }),
    { numRuns },
  );
});

describe('random folders', () => {
  const value = fc.oneof(
    fc.constantFrom(
      '001',
      '002',
      '003',
      '<base>',
      'head',
      'base',
      '',
      '2025-10-11',
      'left',
      'public.one',
      'x'.repeat(33),
    ),
    fc.string({ maxLength: 6 }),
  );
  const line = fc.oneof(
    fc
      .tuple(fc.constantFrom('Revision', 'Revises', 'Create Date', 'Branch', 'Locks', 'Title'), value)
      .map(([key, text]) => `-- ${key}: ${text}`),
    fc.constantFrom(
      '-- step: One',
      '-- step:',
      '-- check: V1.1 one',
      '-- check: one',
      '-- shown as:',
      'SELECT 1;',
      'COMMIT;',
      "SELECT 'x",
      '/*',
      '\uFEFF',
      '\0',
      '',
    ),
    fc.string({ unit: 'binary', maxLength: 10 }),
  );
  /** Mostly a revision, so that what comes after the first fault is reached, too. */
  const upgrade = fc
    .tuple(value, value, fc.array(line, { maxLength: 3 }), fc.array(line, { maxLength: 3 }))
    .map(([id, revises, head, tail]) =>
      [
        '-- A title',
        `-- Revision: ${id}`,
        `-- Revises: ${revises}`,
        '-- Create Date: 2025-10-11',
        ...head,
        '-- step: One',
        'SELECT 1;',
        ...tail,
      ].join('\n'),
    );
  const anyText = fc.array(line, { maxLength: 8 }).map((lines) => lines.join('\n'));
  const steps = fc.oneof(fc.constant('-- A title\n-- step: One\nSELECT 1;'), anyText);
  const folder = fc.record(
    {
      'upgrade.sql': fc.oneof({ weight: 4, arbitrary: upgrade }, { weight: 1, arbitrary: anyText }),
      'downgrade.sql': steps,
      'finalize.sql': steps,
      'verify/before-upgrade.sql': anyText,
      'verify/after-upgrade.sql': anyText,
      'verify/before-downgrade.sql': anyText,
      'README.md': anyText,
    },
    { requiredKeys: ['downgrade.sql'] },
  );
  const folders = fc.dictionary(fc.constantFrom('001_one', '002_two', 'three', '.hidden'), folder, {
    maxKeys: 3,
  });
  const flat = (inner: Readonly<Record<string, Files>>): Files =>
    Object.fromEntries(
      Object.entries(inner).flatMap(([name, files]) =>
        Object.entries(files).map(([path, text]) => [`${name}/${path}`, text] as const),
      ),
    );

  test('form a chain, or are refused as invalid', () => {
    fc.assert(
      fc.property(folders, (inner) => {
        const path = folderOf(flat(inner));
        try {
          const { revisions, head } = readChain(path, reader);
          expect(revisions.at(-1)?.id).toBe(head);
          for (const { id } of revisions)
            expect(resolveTarget({ revisions, head, branch: undefined }, 'base', id)).toBe(id);
        } catch (error) {
          if (!(error instanceof BackstopError)) throw error;
          expect(error.name).toBe('RevisionInvalid');
          expect(error.summary).not.toContain(path);
        }
        rmSync(path, { recursive: true });
      }),
      { numRuns },
    );
  });

  test('with a random databases.json end every verb with a documented exit status', async () => {
    const definition = fc.record(
      {
        folder: fc.constantFrom<unknown>('app', 'nowhere', '', '..', 7),
        urlVariable: fc.constantFrom<unknown>('DATABASE_URL', 'OTHER', '', null),
        branch: fc.constantFrom<unknown>('left', '', 7),
        landmarks: fc.constantFrom<unknown>([], ['one'], 'one'),
        extra: fc.jsonValue(),
      },
      { requiredKeys: ['folder', 'urlVariable'] },
    );
    const definitions = fc.oneof(
      fc.constant(JSON.stringify({ app: { folder: 'app', urlVariable: 'DATABASE_URL' } })),
      fc
        .dictionary(fc.constantFrom('app', 'other', 'No Name', '__proto__'), definition)
        .map((all) => JSON.stringify(all)),
      fc.json(),
      fc.string(),
    );
    const uses = fc.constantFrom(
      ['heads', '-v'],
      ['history', '--json'],
      ['show', 'head'],
      ['upgrade', '--sql'],
      ['downgrade', 'head:base', '--sql'],
      ['current'],
      ['status'],
      ['upgrade', '--all'],
    );
    await fc.assert(
      fc.asyncProperty(definitions, folders, uses, async (json, inner, use) => {
        const files = Object.entries(flat(inner)).map(([path, text]) => [`app/${path}`, text]);
        const path = folderOf({ 'databases.json': json, ...Object.fromEntries(files) });
        await expectCivil([...use, '--migrations', path], path, { env: { DATABASE_URL: UNREACHABLE } });
        rmSync(path, { recursive: true });
      }),
      { numRuns },
    );
  });
});
