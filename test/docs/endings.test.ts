// Whether docs/endings.md has a section for every ending, with the promise of errors.ts about the database.
import { ENDINGS } from '../../lambda/migrator/model/errors.ts';
import { readRefusals } from '../../lambda/migrator/revisions/databases.ts';
import { MIGRATIONS } from '../../lib/paths.ts';
import { brokenLinks, readPage, sectionsOf } from './page.ts';

const PAGE = 'docs/endings.md';
const page = readPage(PAGE);
const [own = '', declared = ''] = page.text
  .slice(page.text.indexOf("## The engine's own endings"))
  .split('## Endings declared by revisions');
const refusals = readRefusals(MIGRATIONS);
const promises: Record<string, string> = Object.fromEntries(
  Object.entries(ENDINGS).map(([name, { database }]) => [name, database]),
);
const ownNames = Object.keys(promises).filter((name) => !refusals.includes(name));

test('endings.md has a section for each ending of the engine, in the order of errors.ts', () => {
  expect([...sectionsOf(own).keys()]).toEqual(ownNames);
});

test('endings.md has a section for each ending that a revision declares', () => {
  expect([...sectionsOf(declared).keys()]).toEqual(expect.arrayContaining([...refusals]));
});

test.each([...sectionsOf(own), ...sectionsOf(declared)])(
  'endings.md says of %s what is in the database, and what to do first',
  (name, text) => {
    expect(text).toContain(`**Database: ${promises[name] ?? 'unchanged'}.**`);
    expect(text).toContain('**Do first:**');
  },
);

test('the overview of endings.md lists each ending under its promise', () => {
  for (const name of ownNames) {
    const row = page.text.split('\n').find((line) => line.startsWith(`| **${promises[name]}**`));
    expect(row).toContain(`[${name}](#${name.toLowerCase()})`);
  }
});

test('the links of endings.md lead somewhere', () => {
  expect(brokenLinks(page, PAGE)).toEqual([]);
});
