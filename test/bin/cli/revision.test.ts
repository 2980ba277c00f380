// `revision`: the new folder can be run at once, has the next number, and is written whole or not at all.
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { makeDatabase } from '../../setup/database.ts';
import { backstop, databaseUrl, document } from './program.ts';
import { fillIn, folderOf, migrationFiles, migrationsOf } from './project.ts';

const make = () =>
  migrationsOf({
    alone: { revisions: [{ id: '001' }, { id: '007', revises: '001' }] },
    auth: { branch: 'auth', system: 'pair', revisions: [{ id: '001' }] },
    specs: { branch: 'specs', system: 'pair', revisions: [{ id: '003' }, { id: '009', revises: '003' }] },
  });

const listing = (folder: string) => readdirSync(folder, { recursive: true }).map(String).sort();

test('a new revision is refused until it is filled in; then it upgrades and downgrades, and its checks pass', async () => {
  const migrations = make();
  const made = await backstop(['revision', '-m', 'Add new feature', '--migrations', migrations]);
  const folder = join(migrations, 'alone/008_add_new_feature');
  expect(made).toMatchObject({
    status: 0,
    out: [`Generating ${relative(process.cwd(), folder)} ...  done`],
    err: [],
  });
  expect(listing(folder)).toEqual([
    'downgrade.sql',
    'upgrade.sql',
    'verify',
    'verify/after-downgrade.sql',
    'verify/after-upgrade.sql',
    'verify/before-downgrade.sql',
  ]);

  // Everyone who may read the other folders may read this one.
  expect(statSync(folder).mode).toBe(statSync(join(migrations, 'alone/001')).mode);

  const database = await makeDatabase('empty', { extension: false });
  const run = (...args: string[]) =>
    backstop([...args, '--migrations', migrations], { env: { DATABASE_URL: databaseUrl(database) } });
  const [refusal] = (await run('upgrade')).err;
  expect(refusal).toBe(
    'RevisionInvalid: 008_add_new_feature/upgrade.sql:24: a placeholder of the template is left',
  );
  fillIn(folder);
  expect((await run('heads')).out).toEqual(['008 (head)']);
  expect((await run('history')).out[0]).toBe('007 -> 008 (head), Add new feature');
  expect(await run('upgrade')).toMatchObject({ status: 0, err: [] });
  expect(await run('check')).toMatchObject({ status: 0 });
  // Nothing to confirm: the checks of the template foresee no loss.
  expect(await run('downgrade', '-1')).toMatchObject({ status: 0, err: [], questions: [] });
  expect(await run('check', 'after-downgrade')).toMatchObject({ status: 0 });
  expect((await run('current')).out).toEqual(['007']);
  await database.drop();
});

test.each([
  ['of its chain', ['--database', 'alone'], '008', 'alone'],
  ['of its whole system', ['--database', 'auth'], '010', 'auth'],
  ['of its whole system', ['--database', 'specs'], '010', 'specs'],
])('a new revision has the number after the highest %s: %j', async (_, options, id, database) => {
  const migrations = make();
  const answer = await backstop(['revision', '-m', 'more', '--json', ...options, '--migrations', migrations]);
  expect(document(answer)).toEqual({
    database,
    revision: id,
    folder: relative(process.cwd(), join(migrations, database, `${id}_more`)),
  });
});

const HEX = /^[0-9a-f]{12}$/;

test.each<[ids: string[], next: string | RegExp]>([
  [['005'], '006'],
  [['1'], '2'],
  [['099'], '100'],
  [['999'], '1000'],
  [['20261127093000'], '20261127093001'],
  [['9007199254740993'], '9007199254740994'],
  [['003', '003a', '005', '002'], '006'],
  [['1a2b3c', '004'], '005'],
  // None of these is a decimal number, although a program may read one at its start.
  [['3e5'], HEX],
  [['0x10'], HEX],
  [['1a2b3c'], HEX],
  [['007', '007a'], HEX],
  [['١٢'], HEX],
  [['1.5'], HEX],
  [['ae1027a6acf'], HEX],
])('after the revisions %j comes %s', async (ids, next) => {
  const revisions = ids.map((id, index) => ({ id, ...(index > 0 && { revises: ids[index - 1] as string }) }));
  const migrations = migrationsOf({ app: { revisions } });
  const made = await backstop(['revision', '-m', 'more', '--json', '--migrations', migrations]);
  const { revision } = document(made) as { revision: string };
  expect(revision).toMatch(typeof next === 'string' ? new RegExp(`^${next}$`) : next);
  fillIn(join(migrations, 'app', `${revision}_more`));
  const { out } = await backstop(['heads', '--migrations', migrations]);
  expect(out).toEqual([`${revision} (head)`]);
});

describe('the first revision of a database is made', () => {
  test.each<[what: string, prepare: (folder: string) => void]>([
    ['without a folder', () => {}],
    ['in an empty folder', (folder) => mkdirSync(folder)],
    [
      'in a folder that holds only a file',
      (folder) => {
        mkdirSync(folder);
        writeFileSync(join(folder, 'x'), '');
      },
    ],
  ])('%s', async (_what, prepare) => {
    const migrations = migrationsOf({
      app: { branch: 'shop', system: 'pair', revisions: [] },
      other: { system: 'pair', revisions: [{ id: '0041' }] },
    });
    prepare(join(migrations, 'app'));
    const made = await backstop(['revision', '-m', 'begin', '--database', 'app', '--migrations', migrations]);
    expect(made).toMatchObject({ status: 0, err: [] });
    fillIn(join(migrations, 'app/0042_begin'));
    const { out } = await backstop(['history', '--migrations', migrations]);
    expect(out).toEqual(['<base> -> 0042 (shop) (head), begin']);
  });

  test('of all, with the number 001', async () => {
    const migrations = migrationsOf({ app: { revisions: [] } });
    await backstop(['revision', '-m', 'begin', '--migrations', migrations]);
    expect(listing(join(migrations, 'app'))).toContain('001_begin');
  });
});

describe('--rev-id', () => {
  const withId = (migrations: string, id: string, ...more: string[]) =>
    backstop(['revision', '-m', 'more', `--rev-id=${id}`, ...more, '--migrations', migrations]);

  test.each([
    ['ae1027a6acf', 'ae1027a6acf_more'],
    ['a/b', 'a_b_more'],
    ['..', '.._more'],
    ['x'.repeat(32), `${'x'.repeat(32)}_more`],
  ])('%s is the id of the new revision', async (id, name) => {
    const migrations = make();
    expect(await withId(migrations, id)).toMatchObject({ status: 0, err: [] });
    fillIn(join(migrations, 'alone', name));
    const { out } = await backstop(['history', '--migrations', migrations]);
    expect(out[0]).toBe(`007 -> ${id} (head), more`);
  });

  test.each([
    ['', 'the revision id is empty'],
    ['head', 'revision id "head" means something else as a target'],
    ['base', 'revision id "base" means something else as a target'],
    ['a@b', 'revision id "a@b" means something else as a target'],
    ['-1', 'revision id "-1" means something else as a target'],
    ['a b', 'revision id "a b" means something else as a target'],
    ['a\nb', 'the revision id holds a control character'],
    ['x'.repeat(33), `revision id "${'x'.repeat(33)}" has 33 characters`],
    ['007', 'alone has a revision 007 already'],
  ])('%j is refused', async (id, summary) => {
    const migrations = make();
    const before = listing(migrations);
    const { status, err } = await withId(migrations, id);
    expect({ status, summary: err[0] }).toEqual({ status: 2, summary: `InvalidInput: --rev-id: ${summary}` });
    expect(err.at(-1)).toMatch(/^HINT: {2}\w/);
    expect(listing(migrations)).toEqual(before);
  });

  test('is refused if another database of the system has it', async () => {
    const { status, err } = await withId(make(), '009', '--database', 'auth');
    expect({ status, summary: err[0] }).toEqual({
      status: 2,
      summary: 'InvalidInput: --rev-id: specs has a revision 009 already',
    });
  });
});

test('the same message twice makes two revisions, one after the other', async () => {
  const migrations = make();
  for (const id of ['008', '009']) {
    const { out } = await backstop(['revision', '-m', 'more', '--migrations', migrations]);
    expect(out[0]).toMatch(new RegExp(`/${id}_more `));
    fillIn(join(migrations, 'alone', `${id}_more`));
  }
  expect((await backstop(['history', '--migrations', migrations])).out[0]).toBe('008 -> 009 (head), more');
});

test.each([
  ['add new feature', '008_add_new_feature'],
  ['  Add: "new" feature!  ', '008_add_new_feature'],
  ['../../etc', '008_etc'],
  ['größere Spalten', '008_größere_spalten'],
  ['a\nb\u001b[31m\tc', '008_a_b_31m_c'],
  ['x'.repeat(60), `008_${'x'.repeat(40)}`],
  ['Fix: the locks', '008_fix_the_locks'],
])('the message %j makes the folder %s', async (message, name) => {
  const migrations = make();
  const made = await backstop(['revision', '-m', message, '--migrations', migrations]);
  expect(made).toMatchObject({ status: 0, err: [] });
  expect(listing(join(migrations, 'alone'))).toContain(name);
  fillIn(join(migrations, 'alone', name));
  expect(await backstop(['show', '008', '--migrations', migrations])).toMatchObject({
    status: 0,
    out: expect.arrayContaining(['Rev: 008 (head)', 'upgrade.sql']),
  });
});

describe('no folder is written', () => {
  test.each([
    [[], 'The message is missing, or has no letter or digit'],
    [['-m', ''], 'The message is missing, or has no letter or digit'],
    [['-m', ' .,! '], 'The message is missing, or has no letter or digit'],
    [['-m', 'Branch: more'], 'The message would be read as a line of the header'],
    [['-m', 'Locks: public.one'], 'The message would be read as a line of the header'],
    [['-m', 'Steps: more'], 'The message would be read as a line of the header'],
    [['-m', '\u001b\nstep: more'], 'The message would be read as a line of the header'],
    [['-m', 'more', '--database', 'nope'], 'There is no database "nope"'],
  ])('for %j', async (options, summary) => {
    const migrations = make();
    const before = listing(migrations);
    const { status, out, err } = await backstop(['revision', ...options, '--migrations', migrations]);
    expect({ status, out }).toEqual({ status: 2, out: [] });
    expect(err[0]).toBe(`InvalidInput: ${summary}`);
    expect(err.at(-1)).toMatch(/^HINT: {2}\w/);
    expect(listing(migrations)).toEqual(before);
  });

  test('for an invalid chain', async () => {
    const files = migrationFiles({ app: { revisions: [{ id: '001' }, { id: '002', revises: '009' }] } });
    const migrations = folderOf(files);
    const before = listing(migrations);
    expect(await backstop(['revision', '-m', 'more', '--migrations', migrations])).toMatchObject({
      status: 1,
    });
    expect(listing(migrations)).toEqual(before);
  });

  test('if a file already has its name', async () => {
    const migrations = make();
    const name = join(migrations, 'alone/008_more');
    writeFileSync(name, '');
    const before = listing(migrations);
    const { status, err } = await backstop(['revision', '-m', 'more', '--migrations', migrations]);
    expect(status).toBe(2);
    expect(err[0]).toBe('ConfigurationError: The folder of the revision cannot be written');
    expect(listing(migrations)).toEqual(before);
    rmSync(name);
    expect(await backstop(['revision', '-m', 'more', '--migrations', migrations])).toMatchObject({
      status: 0,
    });
  });
});
