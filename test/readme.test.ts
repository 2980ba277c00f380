// Whether the README holds: its length, its commands, its numbers, what it shows, and its links.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { verbs } from '../bin/cli/verbs.ts';
import { STRAIGHT } from '../bin/draw/words.ts';
import { DRILLS } from '../lambda/state.ts';
import { MIGRATIONS, ROOT } from '../lib/paths.ts';
import { blocksOf, brokenLinks, commandsOf, readPage } from './docs/page.ts';
import { deployed } from './machine/twin.ts';

const PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'];
const readme = readPage('README.md');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const { scripts } = JSON.parse(read('package.json'));

test('the README has at most 150 lines', () => {
  expect(readme.text.split('\n').length).toBeLessThanOrEqual(151);
});

test('the first screen of the README has the two commands', () => {
  const firstScreen = readme.text.split('\n').slice(0, 10).join('\n');
  expect(firstScreen).toContain('npm ci && npm start');
  expect(firstScreen).toContain('npm ci && npm test');
});

const steps = PAGES.flatMap((page) => commandsOf(readPage(page))).flatMap((line) => line.split(' && '));

test.each([...new Set(steps)].filter((line) => !line.startsWith('export ')))(
  '%s is a command that exists',
  (command) => {
    const [program, verb, name = ''] = command.split(' ');
    const known: Record<string, boolean> = {
      'npm ci': true,
      'npm start': 'start' in scripts,
      'npm test': 'test' in scripts,
      'npm run': name in scripts,
      'npx cdk': existsSync(join(ROOT, 'cdk.json')),
      'npx backstop': verbs.some((known) => known.name === name),
      '.ci/run undefined': existsSync(join(ROOT, '.ci/run')),
    };
    expect(known).toHaveProperty([`${program} ${verb}`], true);
  },
);

test('CI runs the test command of the README, word for word', () => {
  const testCommand = commandsOf(readme).find((command) => command.includes('npm test'));
  expect(read('.ci/run').split('\n')).toContain(testCommand);
});

test('the drill of the README exists', () => {
  const [, drill] = /--drill (\S+)/.exec(readme.text) ?? [];
  expect(DRILLS).toContain(drill);
});

describe('the output in the README', () => {
  const withoutCommands = readme.text.replace(/^```\w+\n[\s\S]*?^```$/gm, '');
  const lines = blocksOf({ text: withoutCommands, prose: '' }, '').flatMap((block) => block.split('\n'));
  const folder = join(MIGRATIONS, 'codebase_mcp/002_remove_non_search_tables');
  const sql = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.sql'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');

  test('names states of the state machine', () => {
    const states = lines.flatMap((line) => /^[▸✓✗] (.*)$/.exec(line)?.[1] ?? []);
    expect(states.length).toBeGreaterThan(5);
    for (const state of states) expect(Object.keys(deployed.definition.States)).toContain(state);
  });

  test('names checks of 002', () => {
    const checks = lines.flatMap((line) => /^ +✓ (V.*)$/.exec(line)?.[1] ?? []);
    expect(checks.length).toBeGreaterThan(1);
    for (const check of checks) expect(sql).toContain(`-- check: ${check}\n`);
  });
});

test('the number of state transitions in the README counts a snapshot of ten minutes', () => {
  const { StartAt, States } = deployed.definition as unknown as {
    readonly StartAt: string;
    readonly States: Readonly<Record<string, { readonly Next?: string }>>;
  };
  let transitions = 0;
  for (let at: string | undefined = StartAt; at; at = STRAIGHT[at] ?? States[at]?.Next) transitions++;
  // Three states each time that the snapshot is checked, every 15 s.
  expect(readme.text).toContain(`${transitions + 3 * 40} state transitions`);
});

test('the picture of the README has a dark form, and a text for those who cannot see it', () => {
  const picture = read('docs/way-back.svg');
  expect(picture).toContain('@media (prefers-color-scheme:dark)');
  expect(picture).toMatch(/<title id="title">.+<\/title>\n<desc id="description">.+<\/desc>/);
});

test.each(PAGES)('the links of %s lead somewhere', (page) => {
  expect(brokenLinks(readPage(page), page)).toEqual([]);
});
