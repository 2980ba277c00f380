// Wrong use exits with 2 and one sentence, a failure with 1, and a request for help with 0.
import { verbs } from '../../../bin/cli/verbs.ts';
import { backstop, document, UNREACHABLE } from './program.ts';
import { migrationsOf } from './project.ts';

const migrations = migrationsOf({
  left: {
    branch: 'left',
    flags: { only: '--left-only' },
    revisions: [{ id: '001' }, { id: '002', revises: '001' }],
  },
  right: {
    branch: 'right',
    urlVariable: 'DATABASE_URL_RIGHT',
    flags: { only: '--right-only' },
    revisions: [{ id: '003' }],
  },
});
const here = (...args: string[]) => [...args, '--migrations', migrations];

describe('help', () => {
  test('of the program lists every verb, an example and the exit statuses', async () => {
    const { status, out, err } = await backstop(['--help']);
    expect({ status, err }).toEqual({ status: 0, err: [] });
    const text = out.join('\n');
    for (const { name } of verbs) expect(text).toMatch(new RegExp(`^  ${name} `, 'm'));
    expect(text).toMatch(/^Exit status: 0 done, 1 failed .*, 2 used wrongly/m);
    expect(text).toMatch(/^Example: .*npx backstop upgrade head$/m);
  });

  test.each(verbs.map(({ name, example }) => [name, example]))(
    'of %s has its example',
    async (name, example) => {
      const { status, out, err } = await backstop([name, '--help']);
      expect({ status, err }).toEqual({ status: 0, err: [] });
      expect(out).toContain(`Example: ${example}`);
    },
  );

  test('is printed if the verb is missing, with the exit status of wrong use', async () => {
    const { status, out, err } = await backstop([]);
    expect({ status, out }).toEqual({ status: 2, out: [] });
    expect(err).toContain('Usage: backstop [options] [command]');
  });

  test('is not needed to print the version', async () => {
    expect(await backstop(['--version'])).toMatchObject({
      status: 0,
      out: [expect.stringMatching(/^\d+\.\d+\.\d+$/)],
    });
  });
});

describe('wrong arguments exit with 2, one sentence and the help command', () => {
  test.each([
    [['nope'], "There is no command 'nope'", '--help'],
    [['--nope'], "Unknown option '--nope'", '--help'],
    [['upgrade', '--nope'], "Unknown option '--nope'", 'upgrade --help'],
    [['upgrade', '--dry-rn'], "Unknown option '--dry-rn'", 'upgrade --help'],
    [
      ['upgrade', '001', '002'],
      "Too many arguments for 'upgrade'. Expected 1 argument but got 2.",
      'upgrade --help',
    ],
    [['heads', 'x'], "Too many arguments for 'heads'. Expected 0 arguments but got 1.", 'heads --help'],
    [['downgrade'], "Missing required argument 'target'", 'downgrade --help'],
    [['stamp'], "Missing required argument 'revision'", 'stamp --help'],
    [['show'], "Missing required argument 'revision'", 'show --help'],
    [['upgrade', '--lock-wait'], "Option '--lock-wait <seconds>' argument missing", 'upgrade --help'],
    [['current', '--url'], "Option '--url <url>' argument missing", 'current --help'],
    // Each of these would run what --sql promises only to print.
    [['upgrade', '--sql', '--all'], "Option '--sql' cannot be used with option '--all'", 'upgrade --help'],
    [
      ['upgrade', '--sql', '--auth-only'],
      "Option '--auth-only' cannot be used with option '--sql'",
      'upgrade --help',
    ],
    [
      ['upgrade', '--sql', '--specs-only'],
      "Option '--specs-only' cannot be used with option '--sql'",
      'upgrade --help',
    ],
    // And each of these would ignore a part of the request.
    [
      ['upgrade', '--sql', '--finalize'],
      "Option '--sql' cannot be used with option '--finalize'",
      'upgrade --help',
    ],
    [
      ['upgrade', '--sql', '--dry-run'],
      "Option '--sql' cannot be used with option '--dry-run'",
      'upgrade --help',
    ],
    [
      ['upgrade', '--sql', '--check-status'],
      "Option '--check-status' cannot be used with option '--sql'",
      'upgrade --help',
    ],
    [
      ['upgrade', '--auth-only', '--finalize'],
      "Option '--auth-only' cannot be used with option '--finalize'",
      'upgrade --help',
    ],
    [
      ['upgrade', '--all', '--finalize'],
      "Option '--finalize' cannot be used with option '--all'",
      'upgrade --help',
    ],
    [
      ['downgrade', '002:001', '--sql', '--dry-run'],
      "Option '--sql' cannot be used with option '--dry-run'",
      'downgrade --help',
    ],
  ])('%j', async (args, sentence, help) => {
    const { status, out, err } = await backstop(args, { env: { DATABASE_URL: UNREACHABLE } });
    expect({ status, out }).toEqual({ status: 2, out: [] });
    expect(err[0]).toBe(sentence);
    expect(err.at(-1)).toBe(`HINT:  npx backstop ${help}`);
  });
});

describe('a request that is wrong exits with 2 and a remedy, before anything is connected to', () => {
  test.each([
    [['upgrade', '--lock-wait', 'soon'], '--lock-wait is "soon"'],
    [['upgrade', '--lock-wait=-1'], '--lock-wait is "-1"'],
    [['downgrade', '001', '--lock-wait', '1e3'], '--lock-wait is "1e3"'],
    [['upgrade', '--max-lock', '0'], '--max-lock is "0"'],
    [['upgrade', '--max-lock', 'long'], '--max-lock is "long"'],
    [['upgrade', '--max-lock', '1e3'], '--max-lock is "1e3"'],
    [['upgrade', '--max-lock=-1'], '--max-lock is "-1"'],
    [['log', '--limit', 'all'], '--limit is "all"'],
    [['check', 'after'], 'There is no phase "after"'],
    [['downgrade', 'head'], 'You cannot downgrade to head'],
    [['downgrade', 'left@heads'], 'You cannot downgrade to head'],
    [['upgrade', '001:002'], '"001:002" names a revision to start from, which only --sql needs'],
    [['downgrade', '002:001'], '"002:001" names a revision to start from, which only --sql needs'],
    [['downgrade', '-1', '--sql'], 'downgrade --sql needs the revision to start from'],
    [['upgrade', '001:002:001', '--sql'], '"001:002:001" has more than one colon'],
    [['upgrade', '002:001', '--sql'], '001 is not ahead of 002'],
    [['downgrade', '001:002', '--sql'], '002 is not behind 001'],
    [['show', 'base'], 'There is no revision at base'],
    [['show', '-1'], "Relative revision -1 didn't produce 1 migrations"],
    [['upgrade', 'middle@head'], "No such branch: 'middle'"],
    [['current', '--database', 'centre'], 'There is no database "centre"'],
    [['current', '--database', ''], 'There is no database ""'],
    [['current', '--url', 'mysql://me:sesame@db/app'], '--url is not the URL of a PostgreSQL database'],
    // A shell variable that was not set.
    [['current', '--url', ''], '--url is not the URL of a PostgreSQL database'],
    [['revision'], 'The message is missing, or has no letter or digit'],
    [['upgrade', '002', '--all'], '"002" is the target of one database, and this command upgrades more'],
    [['status', '--left-only', '--right-only'], '--left-only and --right-only exclude each other'],
    [['upgrade', '--left-only', '--database', 'left'], '--database and --left-only exclude each other'],
  ])('%j', async (args, summary) => {
    const plain = await backstop(here(...args), { env: { DATABASE_URL: UNREACHABLE } });
    expect({ status: plain.status, out: plain.out }).toEqual({ status: 2, out: [] });
    expect(plain.err[0]).toMatch(/^(InvalidInput|ConfigurationError): /);
    expect(plain.err[0]).toContain(summary);
    expect(plain.err.at(-1)).toMatch(/^HINT: {2}\w/);

    const json = await backstop(here(...args, '--json'), { env: { DATABASE_URL: UNREACHABLE } });
    expect(json.status).toBe(2);
    expect(document(json)).toMatchObject({ message: summary, hint: expect.stringMatching(/\w/) });
  });

  test('a missing variable, with the command that sets it', async () => {
    expect(await backstop(here('current', '--database', 'right'))).toMatchObject({
      status: 2,
      out: [],
      err: [
        'ConfigurationError: DATABASE_URL_RIGHT is not set: it is the URL of database right',
        'HINT:  Run: export DATABASE_URL_RIGHT=postgresql://user:password@host:5432/right',
      ],
    });
  });
});

test.each([
  [['upgrade', UNREACHABLE]],
  [['upgrade', UNREACHABLE, '--json']],
  [['downgrade', UNREACHABLE, '--sql']],
  [['upgrade', '--all', UNREACHABLE]],
  [['show', UNREACHABLE]],
  [['check', UNREACHABLE]],
  [['current', '--database', UNREACHABLE]],
  [['current', '--lock-wait', UNREACHABLE]],
  [['heads', `--${UNREACHABLE}`]],
  [[UNREACHABLE]],
  [['show', 'postgresql:///app?user=me&password=sesame']],
])('a URL in the wrong place is refused without its password: %j', async (args) => {
  const { status, out, err } = await backstop(here(...args), { env: { DATABASE_URL: UNREACHABLE } });
  expect(status).toBeGreaterThan(0);
  expect([...out, ...err].join('\n')).not.toContain('sesame');
});

describe('a failure exits with 1', () => {
  test.each([
    ['current'],
    ['log'],
    ['check'],
    ['upgrade'],
    ['downgrade', 'base'],
    ['finalize'],
    ['stamp', 'head'],
    ['current', '--url', UNREACHABLE],
  ])('%s on a server that cannot be reached, without printing the password', async (...args) => {
    for (const format of [[], ['--json']]) {
      const ending = await backstop(here(...args, ...format), { env: { DATABASE_URL: UNREACHABLE } });
      expect(ending.status).toBe(1);
      expect(ending.err[0]).toBe('DatabaseUnreachable: The server at 127.0.0.1:1 could not be reached');
      expect(JSON.stringify(ending)).not.toContain('sesame');
    }
  });

  test.each([
    ['show', '009'],
    ['upgrade', '009', '--sql'],
    ['show', 'right@head', '--database', 'left'],
  ])('%s %s: no such revision or branch', async (...args) => {
    expect(await backstop(here(...args))).toMatchObject({
      status: 1,
      out: [],
      err: [
        expect.stringMatching(/^UnknownRevision: /),
        expect.stringMatching(/^DETAIL: /),
        expect.stringMatching(/^HINT: /),
      ],
    });
  });
});
