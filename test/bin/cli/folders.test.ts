// The verbs that only read the folders: as text in Alembic's format, as JSON, and without a database.
import { relative } from 'node:path';
import { backstop, document } from './program.ts';
import { migrationsOf } from './project.ts';

const migrations = migrationsOf({
  plain: {
    revisions: [
      {
        id: 'abc1',
        locks: 'public.one, public.two',
        upgrade: ['SELECT 1;', 'SELECT 2;'],
        finalize: ['SELECT 3;'],
      },
      { id: 'abd2', revises: 'abc1' },
      { id: 'x3', revises: 'abd2' },
    ],
  },
  left: { branch: 'left', revisions: [{ id: '001' }, { id: '002', revises: '001' }] },
});
const folder = relative(process.cwd(), migrations);
const run = (...args: string[]) => backstop([...args, '--migrations', migrations]);

const entry = (id: string, head: string, parent: string, database: string, branch: string[] = []) => [
  `Rev: ${id}${head}`,
  `Parent: ${parent}`,
  ...branch,
  `Path: ${folder}/${database}/${id}/upgrade.sql`,
  '',
  `    Revision ${id} of a test`,
  '    ',
  `    Revision ID: ${id}`,
  `    Revises: ${parent}`,
  '    Create Date: 2025-10-11',
  '',
];
const json = (id: string, revises: string, head: boolean, branch: string | null, database: string) => ({
  revision: id,
  revises,
  title: `Revision ${id} of a test`,
  head,
  branch,
  createDate: '2025-10-11',
  folder: `${folder}/${database}/${id}`,
  checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
});

describe('heads', () => {
  test.each([
    [[], ['x3 (head)']],
    [['--database', 'left'], ['002 (left) (head)']],
    [['-v'], entry('x3', ' (head)', 'abd2', 'plain')],
    [['--database', 'left', '--verbose'], entry('002', ' (head)', '001', 'left', ['Branch names: left'])],
  ])('%j', async (options, out) => {
    expect(await run('heads', ...options)).toMatchObject({ status: 0, out, err: [] });
  });

  test('as JSON', async () => {
    expect(document(await run('heads', '--json'))).toEqual({
      database: 'plain',
      ...json('x3', 'abd2', true, null, 'plain'),
    });
  });
});

describe('history', () => {
  test.each([
    [
      [],
      [
        'abd2 -> x3 (head), Revision x3 of a test',
        'abc1 -> abd2, Revision abd2 of a test',
        '<base> -> abc1, Revision abc1 of a test',
      ],
    ],
    [
      ['--database', 'left'],
      ['001 -> 002 (left) (head), Revision 002 of a test', '<base> -> 001 (left), Revision 001 of a test'],
    ],
    [
      ['--database', 'left', '--verbose'],
      [
        ...entry('002', ' (head)', '001', 'left', ['Branch names: left']),
        ...entry('001', '', '<base>', 'left', ['Branch names: left']),
      ],
    ],
  ])('%j', async (options, out) => {
    expect(await run('history', ...options)).toMatchObject({ status: 0, out, err: [] });
  });

  test('as JSON', async () => {
    expect(document(await run('history', '--database', 'left', '--json'))).toEqual({
      database: 'left',
      revisions: [json('002', '001', true, 'left', 'left'), json('001', 'base', false, 'left', 'left')],
    });
  });
});

describe('show', () => {
  test('lists the steps, and the tables that each script locks', async () => {
    expect(await run('show', 'abc')).toMatchObject({
      status: 0,
      out: [
        ...entry('abc1', '', '<base>', 'plain'),
        'upgrade.sql locks public.one, public.two',
        '  1. Step 1',
        '  2. Step 2',
        'downgrade.sql locks public.one, public.two',
        '  1. Step 1',
        'finalize.sql locks public.one, public.two',
        '  1. Step 1',
      ],
    });
  });

  test('lists the tables that the upgrade scans and retires', async () => {
    const { out } = await backstop(['show', '002', '--database', 'codebase_mcp']);
    expect(out.find((line) => line.startsWith('Retires: '))).toContain('public.tasks');
    expect(out.find((line) => line.startsWith('upgrade.sql locks '))).toMatch(
      /; scans public\.code_chunks, public\.repositories$/,
    );
  });

  test('as JSON', async () => {
    expect(document(await run('show', 'abd2', '--json'))).toEqual({
      database: 'plain',
      ...json('abd2', 'abc1', false, null, 'plain'),
      retires: [],
      upgrade: { steps: ['Step 1'], locks: [], scans: [] },
      downgrade: { steps: ['Step 1'], locks: [], scans: [] },
    });
  });

  test.each([
    ['head', 'Rev: x3 (head)'],
    ['heads', 'Rev: x3 (head)'],
    ['x', 'Rev: x3 (head)'],
    ['+1', 'Rev: abc1'],
    ['head-1', 'Rev: abd2'],
    ['abc+1', 'Rev: abd2'],
    ['left@head', 'Rev: 002 (head)'],
    ['left@+1', 'Rev: 001'],
  ])('finds %s', async (target, line) => {
    expect((await run('show', target)).out[0]).toBe(line);
  });
});

describe('--sql', () => {
  test.each([
    [['upgrade'], 'base', 'x3', [' -> abc1', 'abc1 -> abd2', 'abd2 -> x3']],
    [['upgrade', 'abd2'], 'base', 'abd2', [' -> abc1', 'abc1 -> abd2']],
    [['upgrade', 'abc1:head'], 'abc1', 'x3', ['abc1 -> abd2', 'abd2 -> x3']],
    [['upgrade', 'abc1:+1'], 'abc1', 'abd2', ['abc1 -> abd2']],
    [['upgrade', 'left@head'], 'base', '002', [' -> 001', '001 -> 002']],
    [['upgrade', '001:left@head'], '001', '002', ['001 -> 002']],
    [['downgrade', 'head:base'], 'x3', 'base', ['x3 -> abd2', 'abd2 -> abc1', 'abc1 ->']],
    [['downgrade', 'x3:-1'], 'x3', 'abd2', ['x3 -> abd2']],
    [['downgrade', 'left@head:left@base'], '002', 'base', ['002 -> 001', '001 ->']],
  ])('with %j prints one transaction', async (args, from, to, moves) => {
    const [direction = ''] = args;
    const { status, out, err } = await run(...args, '--sql');
    expect({ status, err }).toEqual({ status: 0, err: [] });
    expect(out[0]?.toLowerCase()).toBe(`-- ${direction} from ${from} to ${to}`);
    expect(out.filter((line) => line.startsWith('-- Running '))).toEqual(
      moves.map((move) => `-- Running ${direction} ${move}`),
    );
    expect(out.filter((line) => /^(BEGIN|COMMIT)\b.*;$/.test(line))).toEqual([
      expect.stringMatching(/^BEGIN /),
      'COMMIT;',
    ]);
    expect(document(await run(...args, '--sql', '--json'))).toEqual({
      database: expect.any(String),
      direction,
      from,
      to,
      sql: `${out.join('\n')}\n`,
    });
  });

  test('says that there is nothing to do', async () => {
    expect(await run('upgrade', 'x3:head', '--sql')).toMatchObject({
      status: 0,
      out: ['-- From x3 to x3 there is nothing to upgrade.'],
    });
  });
});
