// migrations/databases.json: its databases, and one sentence for each error in it.
import { readDatabase, readDefinitions } from '../../../../lambda/migrator/revisions/databases.ts';
import { inFolder, reader, revisionFiles } from '../../../setup/revisions.ts';

const one = (definition: object) => ({ 'databases.json': JSON.stringify({ one: definition }) });

test('a database is its definition and the chain of its folder', () => {
  const files = {
    ...one({ folder: '.', urlVariable: 'ONE_URL' }),
    ...revisionFiles({ id: '001' }),
  };
  expect(inFolder(files, (folder) => readDatabase(folder, 'one', reader))).toMatchObject({
    definition: { name: 'one', urlVariable: 'ONE_URL', extensions: [] },
    chain: { head: '001' },
  });
});

test('an unknown name is answered with the known names', () => {
  const files = one({ folder: '.', urlVariable: 'ONE_URL' });
  expect(() => inFolder(files, (folder) => readDatabase(folder, 'two', reader))).toThrow(
    expect.objectContaining({
      name: 'InvalidInput',
      summary: 'There is no database "two"',
      hint: 'Use one of: one.',
    }),
  );
});

test.each([
  ['is missing', {}, /ENOENT/],
  ['is no JSON', { 'databases.json': '{' }, /JSON/],
  ['has an unknown key', one({ folder: '.', urlVariable: 'X', extension: ['vector'] }), /"extension"/],
  ['lacks a folder', one({ urlVariable: 'X' }), /one\.folder/],
])('a file that %s is refused, with the reason', (_what, files, detail) => {
  expect(() => inFolder(files, readDefinitions)).toThrow(
    expect.objectContaining({ name: 'RevisionInvalid', detail: expect.stringMatching(detail) }),
  );
});
