// Whether docs/endings-evidence.md has every ending and every Task, and none that does not exist.
import { ENDINGS } from '../../../lambda/migrator/model/errors.ts';
import { readRefusals } from '../../../lambda/migrator/revisions/databases.ts';
import { MIGRATIONS } from '../../../lib/paths.ts';
import { deployed } from '../../machine/twin.ts';
import { readPage } from './page.ts';

const page = readPage();

test('the evidence has a row for every ending, and no row ends by a name that does not exist', () => {
  const cells = [...page.matchAll(/^\| .*? \| (`.*?`) \| /gm)].map(([, cell]) => cell ?? '');
  const named = cells.flatMap((cell) => cell.replaceAll('`', '').split('<br>'));
  const known = new Set([...Object.keys(ENDINGS), ...readRefusals(MIGRATIONS), 'Succeeded']);
  expect([...new Set(named)].sort()).toEqual([...known].sort());
});

test('the evidence has a section for every Task of the state machine', () => {
  const tasks = Object.entries(deployed.definition.States).filter(([, { Type }]) => Type === 'Task');
  const sections = [...page.matchAll(/^## (.*)$/gm)].map(([, name]) => name);
  expect(sections.sort()).toEqual(tasks.map(([name]) => name).sort());
});
