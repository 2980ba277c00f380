// The target: every form of it, from any revision of the database, and the remedy if it is invalid.
import { parseTarget, resolveTarget } from '../../../../lambda/migrator/revisions/target.ts';
import { codebaseMcp } from '../../../setup/database.ts';
import { databaseOf } from '../../../setup/revisions.ts';

test.each([
  ['head', '002'],
  ['heads', '002'],
  ['base', 'base'],
  ['<base>', 'base'],
  ['003', '003'],
  ['003a', '003a'],
  ['005', '005'],
  ['01', undefined],
  ['0', undefined],
  ['', undefined],
  ['006', undefined],
  ['00', undefined],
  ['+0', '003'],
  ['+1', '003a'],
  ['+3', '002'],
  ['+4', undefined],
  ['-0', '003'],
  ['-1', '001'],
  ['-2', 'base'],
  ['-3', undefined],
  ['005+1', '002'],
  ['005-1', '003a'],
  ['001-1', 'base'],
  ['001-2', undefined],
  ['002+1', undefined],
  ['head-1', '005'],
  ['base+1', '001'],
  ['base-1', undefined],
  ['003+', undefined],
  ['+', undefined],
  ['1+1', undefined],
  ['+99999999999999999999', undefined],
  ['@head', undefined],
  ['auth@head', undefined],
])('%j from 003 is %s', (target, revision) => {
  const resolve = () => resolveTarget(codebaseMcp.chain, '003', target);
  if (revision === undefined)
    expect(resolve).toThrow(expect.objectContaining({ hint: expect.stringMatching(/\w/) }));
  else expect(resolve()).toBe(revision);
});

const { chain } = databaseOf({ id: 'abc1' }, { id: 'abd2', revises: 'abc1' });

test('may be a unique start of a revision', () => {
  expect(resolveTarget(chain, 'base', 'abd')).toBe('abd2');
  expect(resolveTarget(chain, 'base', 'abc+1')).toBe('abd2');
});

test('is a revision before it is a start of another, or a step from one', () => {
  const { chain } = databaseOf({ id: 'a' }, { id: 'a-1', revises: 'a' }, { id: 'ab', revises: 'a-1' });
  expect(resolveTarget(chain, 'base', 'a')).toBe('a');
  expect(resolveTarget(chain, 'base', 'a-1')).toBe('a-1');
});

test.each([
  ['ab', 'UnknownRevision', "Multiple revisions start with 'ab': abc1, abd2", 'Give more of its characters.'],
  ['zzz', 'UnknownRevision', "Can't locate revision identified by 'zzz'", expect.stringContaining('head')],
  ['+3', 'InvalidInput', "Relative revision +3 didn't produce 3 migrations", expect.stringContaining('head')],
  ['-1', 'InvalidInput', "Relative revision -1 didn't produce 1 migrations", expect.stringContaining('base')],
  [
    'abc1+2',
    'InvalidInput',
    "Relative revision abc1+2 didn't produce 2 migrations",
    expect.stringContaining('head'),
  ],
  ['auth@head', 'UnknownRevision', "No such branch: 'auth'", 'Leave out the label before the @.'],
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

describe('behind a label', () => {
  const auth = { ...chain, branch: 'auth' };

  test.each([
    ['auth@head', 'abd2'],
    ['auth@base', 'base'],
    ['auth@abd', 'abd2'],
    ['auth@+1', 'abd2'],
    ['auth@-1', 'base'],
    ['auth@abc1+1', 'abd2'],
  ])('%s from abc1 is %s', (target, revision) => {
    expect(resolveTarget(auth, 'abc1', target)).toBe(revision);
  });

  test('of another branch is refused, with the label to write', () => {
    expect(() => resolveTarget(auth, 'abc1', 'specs@head')).toThrow(
      expect.objectContaining({
        name: 'UnknownRevision',
        summary: "No such branch: 'specs'",
        hint: 'Write auth@, or nothing before the target.',
      }),
    );
  });

  test('the first @ ends the label', () => {
    expect(parseTarget('a@b@c')).toEqual({ label: 'a', symbol: 'b@c' });
    expect(parseTarget('@')).toEqual({ label: '', symbol: '' });
    expect(parseTarget('head')).toEqual({ label: undefined, symbol: 'head' });
  });
});
