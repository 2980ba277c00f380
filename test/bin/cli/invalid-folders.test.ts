// Invalid folders: reported in one sentence, with exit status 1, before a connection is made.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Files, RevisionDraft } from '../../setup/revisions.ts';
import { backstop, UNREACHABLE } from './program.ts';
import { folderOf, migrationFiles } from './project.ts';

const GOOD = migrationFiles({ app: { revisions: [{ id: '001' }, { id: '002', revises: '001' }] } });
const chain = (...revisions: RevisionDraft[]) => migrationFiles({ app: { revisions } });
const definitions = (content: unknown): Files => ({
  ...GOOD,
  'databases.json': typeof content === 'string' ? content : JSON.stringify(content),
});
const without = (path: string): Files =>
  Object.fromEntries(Object.entries(GOOD).filter(([name]) => name !== path));
const edited = (path: string, from: string | RegExp, to: string): Files => ({
  ...GOOD,
  [path]: GOOD[path]?.replace(from, to) ?? '',
});
const APP = { folder: 'app', urlVariable: 'DATABASE_URL' };
const UPGRADE = 'app/002/upgrade.sql';

/** Every verb reads the folders first. */
const VERBS = [['heads'], ['current'], ['upgrade'], ['downgrade', 'base', '--yes'], ['status']] as const;

async function expectRefused(migrations: string, summary: string | RegExp): Promise<void> {
  for (const verb of VERBS) {
    const { status, out, err } = await backstop([...verb, '--migrations', migrations], {
      env: { DATABASE_URL: UNREACHABLE },
    });
    expect({ status, out }).toEqual({ status: 1, out: [] });
    expect(err[0]).toMatch(/^RevisionInvalid: /);
    expect(err[0]?.slice('RevisionInvalid: '.length)).toMatch(summary);
    expect(err.at(-1)).toMatch(/^HINT: {2}\w/);
    expect(err.length).toBeLessThanOrEqual(3);
  }
}

test.each<[what: string, files: Files, summary: string | RegExp]>([
  [
    'an id given twice',
    edited(UPGRADE, 'Revision: 002', 'Revision: 001'),
    /^Revision 001 is given twice: 001 and 002$/,
  ],
  [
    'a parent that is missing',
    chain({ id: '001' }, { id: '003', revises: '002' }),
    /^003 revises 002, which has no folder/,
  ],
  [
    'a cycle',
    chain({ id: '001', revises: '002' }, { id: '002', revises: '001' }),
    /^001 and 002 form a cycle$/,
  ],
  [
    'two heads',
    chain({ id: '1' }, { id: '2', revises: '1' }, { id: '3', revises: '1' }),
    /^2 and 3 both revise 1: .* two heads$/,
  ],
  [
    'a file of checks with a misspelt name',
    { ...GOOD, 'app/002/verify/after_upgrade.sql': '-- check: V1.1 nothing\nSELECT 1' },
    /^002\/verify\/after_upgrade\.sql is no file of a revision$/,
  ],
  [
    'a script with a misspelt name',
    { ...GOOD, 'app/002/finalise.sql': 'SELECT 1' },
    /^002\/finalise\.sql is no file of a revision$/,
  ],
  ['no upgrade.sql', without(UPGRADE), /^002\/upgrade\.sql cannot be read$/],
  ['no downgrade.sql', without('app/002/downgrade.sql'), /^002\/downgrade\.sql cannot be read$/],
  [
    'no Revision',
    edited(UPGRADE, '-- Revision: 002\n', ''),
    /^002\/upgrade\.sql does not say its "Revision"$/,
  ],
  ['no Revises', edited(UPGRADE, /-- Revises.*\n/, ''), /^002\/upgrade\.sql does not say its "Revises"$/],
  [
    'no Create Date',
    edited(UPGRADE, /-- Create Date.*\n/, ''),
    /^002\/upgrade\.sql does not say its "Create Date"$/,
  ],
  [
    'an id over 32 characters',
    edited(UPGRADE, 'Revision: 002', `Revision: ${'x'.repeat(33)}`),
    /^002\/upgrade\.sql: .* 33 characters$/,
  ],
  [
    'an id that is a word',
    edited(UPGRADE, 'Revision: 002', 'Revision: head'),
    /^002\/upgrade\.sql: revision id "head"/,
  ],
  ['no databases.json', without('databases.json'), /^databases\.json cannot be read$/],
  ['a databases.json that is not JSON', definitions('{'), /^databases\.json cannot be read$/],
  ['a databases.json without a database', definitions({}), /^databases\.json cannot be read$/],
  ['a databases.json that is a list', definitions([APP]), /^databases\.json cannot be read$/],
  [
    'a databases.json with an unknown key',
    definitions({ app: { ...APP, speed: 9 } }),
    /^databases\.json cannot be read$/,
  ],
  [
    'a databases.json without a folder',
    definitions({ app: { urlVariable: 'DATABASE_URL' } }),
    /^databases\.json cannot be read$/,
  ],
  ['a databases.json with a wrong name', definitions({ 'App 1': APP }), /^databases\.json cannot be read$/],
  [
    'a folder that does not exist',
    definitions({ app: { ...APP, folder: 'nowhere' } }),
    /^The folder "nowhere" of the revisions cannot be read$/,
  ],
  [
    'a branch that only databases.json names',
    definitions({ app: { ...APP, branch: 'left' } }),
    /^databases\.json binds app to branch "left", but the revisions in app are of no branch$/,
  ],
])('every verb refuses %s', async (_what, files, summary) => {
  await expectRefused(folderOf(files), summary);
});

test('every verb refuses a branch that only the first revision names', async () => {
  const files = migrationFiles({ app: { branch: 'left', revisions: [{ id: '001' }] } });
  const unbound = { ...files, 'databases.json': JSON.stringify({ app: APP }) };
  await expectRefused(folderOf(unbound), /^databases\.json binds app to no branch, but .* branch "left"$/);
});

test('every verb refuses a database without a revision', async () => {
  const migrations = folderOf(GOOD);
  rmSync(join(migrations, 'app'), { recursive: true });
  mkdirSync(join(migrations, 'app'));
  await expectRefused(migrations, /^There is no revision$/);
});

test('the error for an invalid databases.json says what is wrong, and where', async () => {
  const migrations = folderOf(definitions({ app: { ...APP, speed: 9 } }));
  const { err } = await backstop(['heads', '--migrations', migrations]);
  expect(err[1]).toMatch(/^DETAIL: .*"speed".* app/);
});
