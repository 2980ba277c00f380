// Whether docs/endings.md tells of every ending and every Task, and of none that does not exist.
import { ENDINGS } from '../../../lambda/migrator/model/errors.ts';
import { deployed } from '../../machine/twin.ts';
import { describeEndings, readPage } from './page.ts';

const page = readPage();
const tried = page.slice(page.indexOf('## What was tried'));

test('begins with what every ending promises, as errors.ts has it', () => {
  expect(page.startsWith(describeEndings())).toBe(true);
});

test('has a row for every ending, and no row ends by a name that does not exist', () => {
  const cells = [...tried.matchAll(/^\| .*? \| (`.*?`) \| /gm)].map(([, cell]) => cell ?? '');
  const named = cells.flatMap((cell) => cell.replaceAll('`', '').split('<br>'));
  expect([...new Set(named)].sort()).toEqual([...Object.keys(ENDINGS), 'Succeeded'].sort());
});

test('has a section for every Task of the state machine', () => {
  const tasks = Object.entries(deployed.definition.States).filter(([, { Type }]) => Type === 'Task');
  const sections = [...tried.matchAll(/^### (.*)$/gm)].map(([, name]) => name);
  expect(sections.sort()).toEqual(tasks.map(([name]) => name).sort());
});
