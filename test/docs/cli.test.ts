// Whether docs/cli.md has every verb and every flag of the command line, and no other.
import { verbs } from '../../bin/cli/verbs.ts';
import { backstop, UNREACHABLE } from '../bin/cli/program.ts';
import { brokenLinks, commandsOf, readPage, sectionsOf, tableOf } from './page.ts';

const PAGE = 'docs/cli.md';
const page = readPage(PAGE);
const [forEvery = '', afterwards = ''] = page.text.split('\n## Targets');
const sections = sectionsOf(afterwards);
const flagsOf = (text: string) => tableOf({ text, prose: text }, 'flag').map(([flag = '']) => flag);
const commonFlags = flagsOf(forEvery);

/** The flags that the help of a verb lists, as `-m, --message <text>`. */
async function flagsInHelp(verb: string): Promise<string[]> {
  const { out } = await backstop([verb, '--help']);
  return out.flatMap((line) => /^ {2}((?:-\w, )?--[\w-]+(?: <\w+>)?)/.exec(line)?.[1] ?? []);
}

test('cli.md has a section for every verb, and no other', () => {
  expect([...sections.keys()].sort()).toEqual(verbs.map(({ name }) => name).sort());
});

test.each(verbs)('cli.md has every flag of $name, and no other', async ({ name }) => {
  const written = [...flagsOf(sections.get(name) ?? ''), ...commonFlags];
  expect(written.sort()).toEqual((await flagsInHelp(name)).sort());
});

test.each(verbs)('cli.md shows the arguments of $name', ({ name, args = [] }) => {
  const use = args.map(([argument]) =>
    argument
      .replace(/^<(.*)>$/, (_, word: string) => word.toUpperCase())
      .replace(/^\[.*\]$/, (word) => word.toUpperCase()),
  );
  expect(sections.get(name)).toContain(`\`npx backstop ${[name, ...use].join(' ')}`);
});

const commands = [...new Set(commandsOf(page).filter((line) => line.startsWith('npx backstop')))];

test.each(commands.filter((line) => !line.includes('npx backstop revision')))(
  'the example of cli.md is understood: %s',
  async (line) => {
    const [, , ...args] = line.split(' ');
    const urls = ['DATABASE_URL', 'DATABASE_URL_AUTH', 'DATABASE_URL_SPECS'];
    const env = Object.fromEntries(urls.map((name) => [name, UNREACHABLE.replace('/app', `/${name}`)]));
    expect((await backstop(args, { env })).status).not.toBe(2);
  },
);

test('the links of cli.md lead somewhere', () => {
  expect(brokenLinks(page, PAGE)).toEqual([]);
});
