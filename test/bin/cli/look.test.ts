// The verbs current, log, check and stamp, with the words for each result.
import { makeDatabase, type TestDatabase } from '../../setup/database.ts';
import { contentsOf } from './contents.ts';
import { backstop, databaseUrl, document, pretendVersions } from './program.ts';
import { migrationsOf, RETIRING } from './project.ts';

const migrations = migrationsOf({ app: { revisions: RETIRING } });

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterEach(() => database.drop());

const run = (...args: string[]) =>
  backstop([...args, '--migrations', migrations], { env: { DATABASE_URL: databaseUrl(database) } });
const pretend = (...versions: string[]) => pretendVersions(database, versions);

describe('current', () => {
  test('prints the revision, and nothing at base', async () => {
    expect(await run('current')).toMatchObject({ status: 0, out: [], err: [] });
    expect(document(await run('current', '--json'))).toEqual({
      database: 'app',
      revision: 'base',
      head: false,
    });
    await run('upgrade', '002');
    expect(await run('current')).toMatchObject({ status: 0, out: ['002'] });
    expect(document(await run('current', '--json'))).toMatchObject({
      database: 'app',
      revision: '002',
      revises: '001',
      head: false,
    });
    await run('upgrade');
    expect(await run('current')).toMatchObject({ status: 0, out: ['003 (head)'] });
  });

  test('with --verbose prints the whole revision', async () => {
    await run('upgrade');
    expect((await run('current', '--verbose')).out.slice(0, 3)).toEqual([
      'Current revision(s) for app:',
      'Rev: 003 (head)',
      'Parent: 002',
    ]);
  });

  test.each([
    [['zzz'], "UnknownRevision: Can't locate revision identified by 'zzz'"],
    [['001', '003'], 'UnknownRevision: The database says that it is at 2 revisions at once'],
  ])('refuses %j and names the remedy', async (versions, summary) => {
    await pretend(...versions);
    const { status, out, err } = await run('current');
    expect({ status, out }).toEqual({ status: 1, out: [] });
    expect(err[0]).toBe(summary);
    expect(err[1]).toContain(`public.alembic_version holds ${versions.join(', ')}`);
    expect(err[2]).toMatch(/npx backstop stamp REVISION --purge --database app$/);
  });

  test('names the revision whose checks the schema passes', async () => {
    await run('upgrade', '001');
    await database.query("UPDATE alembic_version SET version_num = 'zzz'");
    expect((await run('current')).err[2]).toMatch(
      /^HINT: {2}Its schema passes the checks of 001\. .*npx backstop stamp 001 --purge --database app$/,
    );
  });

  test('changes nothing', async () => {
    await run('upgrade', '001');
    const before = await contentsOf(database);
    for (const verb of ['current', 'log', 'check', 'status']) await run(verb);
    expect(await contentsOf(database)).toBe(before);
  });
});

describe('log', () => {
  test('is empty if nothing was run', async () => {
    expect(await run('log')).toMatchObject({ status: 0, out: [] });
    expect(document(await run('log', '--json'))).toEqual({ database: 'app', runs: [] });
  });

  test('lists the runs, failed ones too, the newest first', async () => {
    await run('upgrade', '001');
    await database.query('CREATE TABLE three ()');
    await run('upgrade');
    const when = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ`;
    const line = (what: string) =>
      expect.stringMatching(new RegExp(`^${when}  ${what} in \\d+\\.\\d\\ds \\(\\w+\\)$`));
    expect((await run('log')).out).toEqual([
      line('upgrade 001 -> 003: MigrationFailed'),
      line('upgrade base -> 001: upgraded'),
    ]);
    expect((await run('log', '--limit', '1')).out).toHaveLength(1);
    expect((await run('log', '-n', '0')).out).toEqual([]);

    const verbose = (await run('log', '--verbose')).out;
    expect(verbose[1]).toMatch(/^ {2}\S.*already exists/);
    expect(verbose.slice(-6)).toEqual([
      expect.stringMatching(/^ {2}Step 1\/1 of 001: \d+\.\d\ds \(Step 1\)$/),
      expect.stringMatching(/^ {4}Write-ahead log \d+ bytes; new locks: AccessExclusiveLock on public\.one$/),
      expect.stringMatching(/^ {2}Estimated: /),
      expect.stringMatching(/^ {2}ACCESS EXCLUSIVE on public\.one for \d+ ms$/),
      expect.stringMatching(/^ {2}Write-ahead log \d+ bytes; rewritten: nothing$/),
      expect.stringMatching(/^ {2}Total: \d+\.\d\ds$/),
    ]);
    expect(document(await run('log', '--json'))).toMatchObject({
      database: 'app',
      runs: [
        {
          direction: 'upgrade',
          from: '001',
          to: '003',
          outcome: 'MigrationFailed',
          report: { error: 'MigrationFailed' },
        },
        { direction: 'upgrade', from: 'base', to: '001', outcome: 'upgraded', execution: null },
      ],
    });
  });
});

describe('check', () => {
  test('prints a line for each check, and fails if one fails', async () => {
    await run('upgrade', '001');
    expect(await run('check')).toMatchObject({
      status: 0,
      out: ['✓ V1.1 check 1', expect.stringMatching(/^1 check passed in \d+\.\d\ds$/)],
    });
    await database.query('DROP TABLE one');
    expect(await run('check', 'after-upgrade')).toMatchObject({
      status: 1,
      out: [
        '✗ V1.1 check 1',
        '    V1.1 check 1: 1 row violates it: {"missing":"one"}',
        expect.stringMatching(/^1 of 1 check failed in/),
      ],
    });
    expect(document(await run('check', '--json'))).toMatchObject({
      database: 'app',
      revision: '001',
      phase: 'after-upgrade',
      passed: false,
      checks: [{ id: 'V1.1', passed: false, violations: 1 }],
    });
  });

  test('says that a revision has no checks', async () => {
    expect(await run('check')).toMatchObject({
      status: 0,
      out: ['Revision base has no checks after the upgrade'],
    });
  });

  test('prints words for signs that the terminal cannot show', async () => {
    await run('upgrade', '001');
    const { out } = await backstop(['check', '--migrations', migrations], {
      env: { DATABASE_URL: databaseUrl(database) },
      unicode: false,
    });
    expect(out[0]).toBe('ok V1.1 check 1');
  });
});

describe('stamp', () => {
  test('writes the version, and runs nothing', async () => {
    expect((await run('stamp', '002')).out).toEqual([
      expect.stringMatching(/^Stamped base -> 002 in \d+\.\d\ds$/),
    ]);
    expect(await run('current')).toMatchObject({ out: ['002'] });
    expect(await database.query("SELECT to_regclass('one') AS one")).toEqual([{ one: null }]);
    expect((await run('stamp', '002')).out).toEqual(['Already at 002, nothing to do']);
    await run('stamp', 'base');
    expect(await run('current')).toMatchObject({ out: [] });
  });

  describe.each([
    ['an unknown version', ['zzz']],
    ['two versions', ['001', '003']],
  ])('over %s', (_what, versions) => {
    beforeEach(() => pretend(...versions));

    test('is refused without --purge', async () => {
      const before = await contentsOf(database);
      const { status, err } = await run('stamp', '002');
      expect(status).toBe(1);
      expect(err.at(-1)).toContain('--purge');
      expect(await contentsOf(database)).toBe(before);
    });

    test('with --purge leaves only the target', async () => {
      for (const target of ['002', 'head', '001', 'base']) {
        await database.query('DROP TABLE alembic_version');
        await pretend(...versions);
        expect(await run('stamp', target, '--purge')).toMatchObject({ status: 0, err: [] });
        const rows = await database.query('SELECT version_num FROM alembic_version');
        const left = { head: ['003'], base: [] }[target] ?? [target];
        expect({ target, left: rows.map(({ version_num }) => version_num) }).toEqual({ target, left });
      }
    });
  });
});
