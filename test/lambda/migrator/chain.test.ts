// The chain: its order whatever the folders are called, what makes it no chain, and what a target means.
import { join } from 'node:path';
import { type Chain, readChain } from '../../../lambda/migrator/chain.ts';
import { resolveTarget } from '../../../lambda/migrator/target.ts';
import { codebaseMcp } from '../../setup/database.ts';
import { databaseOf, inFolder, type RevisionDraft, revisionFiles } from '../../setup/revisions.ts';

const ids = (chain: Chain) => chain.revisions.map(({ id }) => id);

test('parents, not names, give the order', () => {
  expect(ids(codebaseMcp.chain)).toEqual(['001', '003', '003a', '005', '002']);
  expect(codebaseMcp.chain.head).toBe('002');
});

describe('what is no chain is refused by the names of the folders', () => {
  test.each<[what: string, drafts: RevisionDraft[], summary: RegExp]>([
    [
      'a parent that is missing',
      [{ id: 'a' }, { id: 'b', revises: 'x' }],
      /^b revises x, which no folder describes$/,
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
    expect(() => inFolder(files, readChain)).toThrow(
      expect.objectContaining({ name: 'RevisionInvalid', summary: 'Revision a is given twice: one and two' }),
    );
  });

  test('a folder that cannot be read', () => {
    expect(() => inFolder({}, (folder) => readChain(join(folder, 'nowhere')))).toThrow(
      expect.objectContaining({ name: 'RevisionInvalid', summary: expect.stringContaining('nowhere') }),
    );
  });
});

describe('a target', () => {
  test.each([
    ['head', '002'],
    ['heads', '002'],
    ['base', 'base'],
    ['003', '003'],
    ['003a', '003a'],
    ['005', '005'],
    ['01', undefined],
    ['0', undefined],
    ['', undefined],
    ['006', undefined],
    ['00', undefined],
    ['+1', '003a'],
    ['+3', '002'],
    ['+4', undefined],
    ['-1', '001'],
    ['-2', 'base'],
    ['-3', undefined],
  ])('%j from 003 is %s', (target, revision) => {
    const resolve = () => resolveTarget(codebaseMcp.chain, '003', target);
    if (revision === undefined) expect(resolve).toThrow();
    else expect(resolve()).toBe(revision);
  });

  const { chain } = databaseOf({ id: 'abc1' }, { id: 'abd2', revises: 'abc1' });

  test('may be a unique start of a revision', () => {
    expect(resolveTarget(chain, 'base', 'abd')).toBe('abd2');
  });

  test.each([
    [
      'ab',
      'UnknownRevision',
      "Multiple revisions start with 'ab': abc1, abd2",
      'Give more of its characters.',
    ],
    ['zzz', 'UnknownRevision', "Can't locate revision identified by 'zzz'", expect.stringContaining('head')],
    [
      '+3',
      'InvalidInput',
      "Relative revision +3 didn't produce 3 migrations",
      expect.stringContaining('head'),
    ],
    [
      '-1',
      'InvalidInput',
      "Relative revision -1 didn't produce 1 migrations",
      expect.stringContaining('base'),
    ],
  ])('%s that means nothing, or too much, is refused with the remedy', (target, name, summary, hint) => {
    expect(() => resolveTarget(chain, 'base', target)).toThrow(
      expect.objectContaining({ name, summary, hint }),
    );
  });

  test('is refused relative to a revision that no folder describes', () => {
    expect(() => resolveTarget(chain, 'gone', '+1')).toThrow(
      expect.objectContaining({
        name: 'UnknownRevision',
        summary: "Can't locate revision identified by 'gone'",
      }),
    );
  });
});
