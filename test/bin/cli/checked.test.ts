// The verbs that change a database tell whether the checks hold: after COMMIT, and in a dry run before it.
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeDatabase, type TestDatabase } from '../../setup/database.ts';
import type { RevisionDraft } from '../../setup/revisions.ts';
import { contentsOf } from './contents.ts';
import { backstop, databaseUrl, document } from './program.ts';
import { migrationsOf } from './project.ts';

const TABLE = { upgrade: ['CREATE TABLE one (n int);'], downgrade: ['DROP TABLE one;'] };
const HOLDS = 'SELECT 1 WHERE false;';
const FAILS = 'SELECT 1 AS violation;';
const BROKEN = 'SELECT nothing;';
const project = (draft: Omit<RevisionDraft, 'id'>, voice: 'plain' | 'alembic' = 'plain') =>
  migrationsOf({ app: { voice, revisions: [{ id: '001', ...draft }] } });

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterEach(() => database.drop());

const on = (migrations: string, ...args: string[]) =>
  backstop([...args, '--migrations', migrations], { env: { DATABASE_URL: databaseUrl(database) } });
const version = async () => (await database.query('SELECT version_num FROM alembic_version'))[0]?.version_num;

const good = project({ ...TABLE, checks: { 'after-upgrade': [HOLDS, HOLDS], 'after-downgrade': [HOLDS] } });
const bad = project({ ...TABLE, checks: { 'after-upgrade': [HOLDS, FAILS], 'after-downgrade': [HOLDS] } });

describe('an upgrade by hand', () => {
  test('says in one line that all checks hold, and has the verdict in its document', async () => {
    const { status, out, err } = await on(good, 'upgrade');
    expect({ status, err }).toEqual({ status: 0, err: [] });
    expect(out.at(-1)).toMatch(/^2 checks passed in \d+\.\d\ds$/);
    await on(good, 'downgrade', 'base', '--yes');
    expect(document(await on(good, 'upgrade', '--json'))).toMatchObject({
      outcome: 'upgraded',
      validation: { phase: 'after-upgrade', passed: true, checks: [{ id: 'V1.1' }, { id: 'V1.2' }] },
    });
  });

  test.each(['plain', 'alembic'] as const)('prints nothing more without checks: %s', async (voice) => {
    const [with_, without] = [project(TABLE, voice), project(TABLE, voice)];
    const { out } = await on(with_, 'upgrade');
    await on(with_, 'downgrade', 'base', '--yes');
    expect((await on(without, 'upgrade', '--no-check')).out).toHaveLength(out.length);
  });

  test("prints nothing more in Alembic's words if all hold", async () => {
    const checked = project({ ...TABLE, checks: { 'after-upgrade': [HOLDS] } }, 'alembic');
    const { out, err } = await on(checked, 'upgrade');
    expect(err).toEqual([]);
    expect(out.at(-1)).toMatch(/Running upgrade {2}-> 001$/);
    expect(out.join('\n')).not.toContain('passed');
  });

  test.each(['plain', 'alembic'] as const)(
    'ends with 1 if a check does not hold, and stays: %s',
    async (voice) => {
      const migrations = project({ ...TABLE, checks: { 'after-upgrade': [HOLDS, FAILS] } }, voice);
      const { status, err } = await on(migrations, 'upgrade');
      expect({ status, err }).toEqual({
        status: 1,
        err: [
          'ValidationFailed: The upgrade to 001 is committed, but 1 of 2 checks of 001 does not hold',
          'DETAIL:  V1.2 check 2: 1 row violates it',
          'HINT:  Correct the cause, then: npx backstop check --database app; or take the upgrade back: npx backstop downgrade base --database app',
        ],
      });
      expect(await version()).toBe('001');
    },
  );

  test('has the report, the verdict and the error in its document', async () => {
    const ending = await on(bad, 'upgrade', '--json');
    expect(ending.status).toBe(1);
    expect(document(ending)).toMatchObject({
      outcome: 'upgraded',
      validation: { passed: false },
      error: 'ValidationFailed',
      message: expect.stringContaining('is committed'),
    });
  });

  test('ends with 1 if its checks could not run', async () => {
    const { status, err } = await on(project({ checks: { 'after-upgrade': [BROKEN] } }), 'upgrade');
    expect(status).toBe(1);
    expect(err[0]).toBe('ValidationFailed: The upgrade to 001 is committed, but its checks could not run');
    expect(err[1]).toMatch(/^DETAIL: {2}column "nothing" does not exist/);
  });

  test('with --no-check runs no check', async () => {
    expect(await on(bad, 'upgrade', '--no-check')).toMatchObject({ status: 0, err: [] });
    expect(await version()).toBe('001');
  });

  test('that has nothing to do runs no check', async () => {
    await on(bad, 'upgrade', '--no-check');
    expect(await on(bad, 'upgrade')).toMatchObject({
      status: 0,
      out: ['Already at 001, nothing to do'],
      err: [],
    });
  });

  test('with --all goes on only with --keep-going', async () => {
    expect(await on(bad, 'upgrade', '--all')).toMatchObject({ status: 1 });
    expect(document(await on(bad, 'upgrade', '--all', '--json'))).toMatchObject({
      runs: [{ database: 'app', report: { outcome: 'nothing to do' } }],
    });
    await on(bad, 'downgrade', 'base', '--yes');
    expect(document(await on(bad, 'upgrade', '--all', '--json'))).toMatchObject({
      runs: [{ database: 'app', error: 'ValidationFailed', report: { outcome: 'upgraded' } }],
    });
  });
});

describe('--step-back', () => {
  test('takes the upgrade back, and ends with 1', async () => {
    const { status, err } = await on(bad, 'upgrade', '--step-back');
    expect({ status, summary: err[0] }).toEqual({
      status: 1,
      summary:
        'ValidationFailed: After the upgrade to 001 1 of 2 checks of 001 does not hold; the database was downgraded to base',
    });
    expect(await version()).toBeUndefined();
    expect((await on(bad, 'log')).out).toEqual([
      expect.stringContaining('downgrade 001 -> base: downgraded'),
      expect.stringContaining('upgrade base -> 001: upgraded'),
    ]);
  });

  test('changes nothing if all checks hold', async () => {
    expect(await on(good, 'upgrade', '--step-back')).toMatchObject({ status: 0, err: [] });
    expect(await version()).toBe('001');
  });

  test.each<
    [
      what: string,
      draft: Omit<RevisionDraft, 'id'>,
      summary: RegExp,
      detail: RegExp,
      version: string | undefined,
    ]
  >([
    [
      'rows would be lost',
      {
        upgrade: ['CREATE TABLE one (n int); INSERT INTO one VALUES (1);'],
        downgrade: ['DROP TABLE one;'],
        checks: { 'after-upgrade': [FAILS], 'before-downgrade': ['SELECT n FROM one;'] },
      },
      /and the downgrade to base failed$/,
      /A downgrade would lose data written since the upgrade/,
      '001',
    ],
    [
      'the downgrade fails',
      { ...TABLE, downgrade: ['SELECT 1 / 0;'], checks: { 'after-upgrade': [FAILS] } },
      /and the downgrade to base failed$/,
      /division by zero/,
      '001',
    ],
    [
      'the checks after it do not hold',
      { ...TABLE, checks: { 'after-upgrade': [FAILS], 'after-downgrade': [FAILS] } },
      /the database was downgraded to base, but 1 of 1 check of 001 does not hold$/,
      /V1\.1 check 1: 1 row violates it/,
      undefined,
    ],
  ])('ends as DowngradeFailed if %s', async (_what, draft, summary, detail, at) => {
    const { status, err } = await on(project(draft), 'upgrade', '--step-back');
    expect(status).toBe(1);
    expect(err[0]).toMatch(/^DowngradeFailed: After the upgrade to 001 1 of 1 check of 001 does not hold/);
    expect(err[0]).toMatch(summary);
    expect(err.join('\n')).toMatch(detail);
    expect(await version()).toBe(at);
  });

  test.each([['--dry-run'], ['--finalize'], ['--sql']])('cannot be used with %s', async (flag) => {
    expect(await on(good, 'upgrade', '--step-back', flag)).toMatchObject({ status: 2 });
  });
});

describe('a downgrade by hand', () => {
  const broken = project({ ...TABLE, checks: { 'after-downgrade': [FAILS] } });

  test('runs the checks after it', async () => {
    await on(good, 'upgrade');
    const { status, out } = await on(good, 'downgrade', 'base', '--yes');
    expect(status).toBe(0);
    expect(out.at(-1)).toMatch(/^1 check passed in /);
  });

  test('ends with 1 if one does not hold, unless --no-check leaves them out', async () => {
    await on(broken, 'upgrade');
    const { status, err } = await on(broken, 'downgrade', 'base', '--yes');
    expect({ status, err }).toEqual({
      status: 1,
      err: [
        'DowngradeFailed: The downgrade to base is committed, but 1 of 1 check of 001 does not hold',
        'DETAIL:  V1.1 check 1: 1 row violates it',
        'The schema is as it was before the upgrade: its fingerprint was compared.',
        'No older row was deleted or overwritten.',
        'HINT:  Correct the cause, then: npx backstop check after-downgrade --database app',
      ],
    });
    await on(broken, 'upgrade');
    expect(await on(broken, 'downgrade', 'base', '--yes', '--no-check')).toMatchObject({
      status: 0,
      err: [],
    });
  });
});

describe('a dry run', () => {
  test.each<[what: string, migrations: string, line: string | RegExp, status: number]>([
    ['all is well', good, '001: 2 checks hold; it can be taken back: proved', 0],
    ['there are no checks', project(TABLE), '001: no checks; it can be taken back: proved', 0],
    [
      'a check does not hold',
      bad,
      '001: 1 of 2 checks does not hold (V1.2 check 2: 1 row violates it); it can be taken back: proved',
      1,
    ],
    [
      'the downgrade fails',
      project({ ...TABLE, downgrade: ['SELECT 1 / 0;'] }),
      /^001: no checks; it cannot be taken back: its downgrade fails: division by zero .*, at 001\/downgrade\.sql:6$/,
      1,
    ],
    [
      'rows would be lost',
      project({ ...TABLE, checks: { 'before-downgrade': [FAILS] } }),
      '001: no checks; it can be taken back only with a loss: V1.1 check 1 (1 row violates it)',
      0,
    ],
  ])(
    'tells in a line for each revision that %s, and changes nothing',
    async (_what, migrations, line, status) => {
      const before = await contentsOf(database);
      const ending = await on(migrations, 'upgrade', '--dry-run');
      expect(ending.status).toBe(status);
      expect(ending.out.at(-2)).toMatch(line);
      expect(ending.out.at(-1)).toMatch(/^Dry run: upgrade base -> 001 succeeds in /);
      expect(ending.err).toEqual(
        status === 0
          ? []
          : [
              `MigrationFailed: The dry run of the upgrade failed: ${ending.out.at(-2)}`,
              'DETAIL:  Everything was rolled back.',
              'HINT:  Correct the revision, then run it again. With --no-check a dry run ends before the checks and the way back.',
            ],
      );
      expect(await contentsOf(database)).toBe(before);
    },
  );

  test('has what it found in its document', async () => {
    expect(document(await on(bad, 'upgrade', '--dry-run', '--json'))).toMatchObject({
      outcome: 'rehearsed',
      rehearsal: [{ revision: '001', passed: false, reversible: 'yes' }],
      error: 'MigrationFailed',
    });
  });

  test('with --no-check runs neither checks nor the downgrade', async () => {
    const { status, out } = await on(bad, 'upgrade', '--dry-run', '--no-check');
    expect(status).toBe(0);
    expect(out.join('\n')).not.toContain('taken back');
  });

  test("tells the same in Alembic's words", async () => {
    const { out } = await on(project(TABLE, 'alembic'), 'upgrade', '--dry-run');
    expect(out.at(-2)).toBe('INFO  [backstop] 001: no checks; it can be taken back: proved');
  });
});

test('show repeats what the last dry run found, until a file changes', async () => {
  const cache = mkdtempSync(join(tmpdir(), 'backstop-cache-'));
  const folder = project({ ...TABLE });
  const env = { DATABASE_URL: databaseUrl(database), XDG_CACHE_HOME: cache };
  const show = () => backstop(['show', '001', '--migrations', folder], { env });
  expect((await show()).out.join('\n')).not.toContain('Dry run');
  await backstop(['upgrade', '--dry-run', '--migrations', folder], { env });
  expect((await show()).out.at(-1)).toMatch(
    /^Dry run at 20.*: 001: no checks; it can be taken back: proved$/,
  );
  appendFileSync(join(folder, 'app/001/downgrade.sql'), '\nSELECT 1;\n');
  expect((await show()).out.join('\n')).not.toContain('Dry run');
  rmSync(cache, { recursive: true });
});

test('a downgrade that takes nothing back ends with 1, also without checks', async () => {
  const folder = project({ ...TABLE, downgrade: ['SELECT 1;'] });
  await on(folder, 'upgrade');
  const { status, err } = await on(folder, 'downgrade', 'base', '--yes', '--no-check');
  expect(status).toBe(1);
  expect(err.join('\n')).toContain('table public.one added');
});
