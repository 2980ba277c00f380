// The chain: its order, which folder names do not change, and the errors in it.
import { join } from 'node:path';
import { type Chain, readChain } from '../../../../lambda/migrator/revisions/chain.ts';
import { codebaseMcp } from '../../../setup/database.ts';
import {
  chainOf,
  databaseOf,
  inFolder,
  type RevisionDraft,
  reader,
  revisionFiles,
} from '../../../setup/revisions.ts';

const ids = (chain: Chain) => chain.revisions.map(({ id }) => id);

test('parents, not names, give the order', () => {
  expect(ids(codebaseMcp.chain)).toEqual(['001', '003', '003a', '005', '002']);
  expect(codebaseMcp.chain.head).toBe('002');
});

describe('an invalid chain is refused with the names of the folders', () => {
  test.each<[what: string, drafts: RevisionDraft[], summary: RegExp]>([
    [
      'a parent that is missing',
      [{ id: 'a' }, { id: 'b', revises: 'x' }],
      /^b revises x, which has no folder$/,
    ],
    [
      'two heads',
      [{ id: 'a' }, { id: 'b', revises: 'a' }, { id: 'c', revises: 'a' }],
      /^b and c both revise a: the chain has two heads$/,
    ],
    ['two beginnings', [{ id: 'a' }, { id: 'b' }], /^a and b both revise <base>: the chain has two heads$/],
    [
      'a cycle beside the chain',
      [{ id: 'a' }, { id: 'b', revises: 'c' }, { id: 'c', revises: 'b' }],
      /^b and c form a cycle$/,
    ],
    ['a revision that revises itself', [{ id: 'a', revises: 'a' }], /^a forms? a cycle$/],
    [
      'a cycle of all',
      [
        { id: 'a', revises: 'c' },
        { id: 'b', revises: 'a' },
        { id: 'c', revises: 'b' },
      ],
      /^a and b and c form a cycle$/,
    ],
    ['no revision at all', [], /^There is no revision$/],
  ])('%s', (_what, drafts, summary) => {
    expect(() => databaseOf(...drafts)).toThrow(
      expect.objectContaining({
        name: 'RevisionInvalid',
        summary: expect.stringMatching(summary),
        hint: expect.stringMatching(/\w/),
      }),
    );
  });

  test('an id given twice', () => {
    const { 'a/upgrade.sql': upgrade = '', 'a/downgrade.sql': downgrade = '' } = revisionFiles({ id: 'a' });
    const files = {
      'one/upgrade.sql': upgrade,
      'one/downgrade.sql': downgrade,
      'two/upgrade.sql': upgrade,
      'two/downgrade.sql': downgrade,
    };
    expect(() => chainOf(files)).toThrow(
      expect.objectContaining({ name: 'RevisionInvalid', summary: 'Revision a is given twice: one and two' }),
    );
  });

  test('a folder that cannot be read', () => {
    expect(() => inFolder({}, (folder) => readChain(join(folder, 'nowhere'), reader))).toThrow(
      expect.objectContaining({ name: 'RevisionInvalid', summary: expect.stringContaining('nowhere') }),
    );
  });
});

describe('a branch label', () => {
  const label = (branch: string, draft: RevisionDraft) => {
    const { [`${draft.id}/upgrade.sql`]: upgrade = '', ...files } = revisionFiles(draft);
    return { ...files, [`${draft.id}/upgrade.sql`]: `-- A title\n-- Branch: ${branch}\n${upgrade}` };
  };

  test('belongs to the first revision, and later ones may repeat it', () => {
    const files = { ...label('auth', { id: 'a' }), ...label('auth', { id: 'b', revises: 'a' }) };
    expect(chainOf(files)).toMatchObject({ branch: 'auth', head: 'b' });
  });

  test.each([
    ['of no branch', revisionFiles({ id: 'a' })],
    ['of branch "auth"', label('auth', { id: 'a' })],
  ])('of another branch is refused in a chain %s', (words, first) => {
    const files = { ...first, ...label('specs', { id: 'b', revises: 'a' }) };
    expect(() => chainOf(files)).toThrow(
      expect.objectContaining({
        name: 'RevisionInvalid',
        summary: `b has the branch label "specs", but the chain is ${words}`,
        hint: expect.stringContaining('move the folder'),
      }),
    );
  });
});

test('files beside the folders are left alone', () => {
  const files = { ...revisionFiles({ id: 'a' }), 'README.md': 'how these came about' };
  expect(ids(chainOf(files))).toEqual(['a']);
});
