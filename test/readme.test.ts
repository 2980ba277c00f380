// The README holds: its commands exist, CI runs its test command, its table and links are true.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { verbs } from '../bin/cli/verbs.ts';
import { INPUT_FIELDS } from '../lambda/request.ts';
import { ROOT } from '../lib/paths.ts';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const readme = read('README.md');
const { scripts } = JSON.parse(read('package.json'));
const commands = [...readme.matchAll(/^```sh\n([^`]*)^```/gm)].flatMap(([, block = '']) =>
  block
    .split('\n')
    .map((line) => line.replace(/\s+#.*/, '').trim())
    .filter(Boolean),
);

test('its first screen has the two commands', () => {
  const firstScreen = readme.split('\n').slice(0, 10).join('\n');
  expect(firstScreen).toContain('npm ci && npm start');
  expect(firstScreen).toContain('npm ci && npm test');
});

const settings = /^export /;
const steps = commands.flatMap((line) => line.split(' && ')).filter((line) => !settings.test(line));

test.each(steps)('%s is a command that there is', (command) => {
  const [program, verb, name] = command.split(' ');
  const known: Record<string, boolean> = {
    'npm ci': true,
    'npm start': 'start' in scripts,
    'npm test': 'test' in scripts,
    'npm run': (name ?? '') in scripts,
    'npx cdk': existsSync(join(ROOT, 'cdk.json')),
    'npx backstop': verbs.some((known) => known.name === name),
  };
  expect(known).toHaveProperty([`${program} ${verb}`], true);
});

test('CI runs its test command, word for word', () => {
  const testCommand = commands.find((command) => command.includes('npm test'));
  expect(read('.ci/run').split('\n')).toContain(testCommand);
});

test('its table of verbs is what npx backstop knows', () => {
  const table = readme.slice(readme.indexOf('| verb '), readme.indexOf('A target is'));
  const named = [...table.matchAll(/^\| ([^|]*) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`(\w+)/g)].map(([, verb]) => verb),
  );
  expect(named.sort()).toEqual(verbs.map(({ name }) => name).sort());
});

test('its table of input fields is what an input may have', () => {
  const table = readme.slice(readme.indexOf('| field '), readme.indexOf('The secret is either'));
  const fields = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, field]) => field);
  expect(fields.sort()).toEqual([...INPUT_FIELDS].sort());
});

test.each([...readme.matchAll(/\]\(([^)#]+)\)/g)].map(([, path = '']) => path))(
  'its link to %s leads somewhere',
  (path) => {
    expect(existsSync(join(ROOT, path))).toBe(true);
  },
);
