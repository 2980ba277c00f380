// The verbs as commander reads them: options, operands, help, and the sentences for wrong use.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { MIGRATIONS, ROOT } from '../../lib/paths.ts';
import type { DatabaseFlag, FlagMeaning } from './flags.ts';
import type { Terminal } from './terminal.ts';
import type { CommonOptions, Verb } from './verb.ts';
import { verbs } from './verbs.ts';

/** The program without its verbs; the output of commander goes to the terminal. */
export function makeProgram(terminal: Terminal): Command {
  return new Command('backstop')
    .description('Runs the revisions of a PostgreSQL database in one transaction.')
    .version(readVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'print this text')
    .helpCommand(false)
    .addHelpText(
      'after',
      `
Which database: --database NAME, a name in migrations/databases.json (default: the first). Its URL is the value
of the environment variable that databases.json names for it, such as DATABASE_URL, or of --url.
Exit status: 0 done, 1 failed and the database unchanged unless the message says otherwise, 2 used wrongly.
Example: DATABASE_URL=postgresql://localhost/app npx backstop upgrade head`,
    )
    .showHelpAfterError('HINT:  npx backstop --help')
    .configureOutput({
      writeOut: (text) => printLines(text, terminal.out),
      writeErr: (text) => printLines(withoutPassword(text), terminal.err),
      outputError: (text, write) => write(text.replace(/^error: (.)/, (_, first) => first.toUpperCase())),
    })
    .exitOverride()
    .action(function (this: Command) {
      if (this.args.length > 0) this.error(`error: there is no command '${this.args[0]}'`);
      this.help({ error: true });
    })
    .allowExcessArguments();
}

function printLines(text: string, print: (line: string) => void): void {
  for (const line of text.trimEnd().split('\n')) print(line);
}

function readVersion(): string {
  return JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version;
}

/** Commander quotes an argument that it does not know, which may be a URL. */
function withoutPassword(text: string): string {
  return text.replace(/(:\/\/[^\s:@/]*):\S*@/g, '$1:***@').replace(/([?&]password=)[^\s&'"]*/gi, '$1***');
}

const COMMON: readonly Option[] = [
  new Option('--database <name>', 'a name in databases.json'),
  new Option('--url <url>', 'the URL of the database, instead of its environment variable'),
  new Option('--migrations <folder>', 'the folder that holds databases.json').default(
    MIGRATIONS,
    'the migrations of this repository',
  ),
  new Option('--json', 'print one JSON document on standard output'),
  new Option('--log-file <file>', 'also append every printed line, with the time, to this file'),
];

/** The words of a flag of databases.json in the help, and the options that it cannot be used with. */
const DATABASE_FLAGS: Readonly<
  Record<
    FlagMeaning,
    { readonly describe: (databases: readonly string[]) => string; readonly excludes: readonly string[] }
  >
> = {
  only: {
    describe: (databases) => `only ${new Intl.ListFormat('en-GB').format(databases)}`,
    excludes: ['sql', 'finalize'],
  },
  status: { describe: () => 'upgrade nothing; show the status of every database', excludes: ['sql'] },
};

/** Flags that databases.json cannot add, because the verbs that accept its flags have them already. */
export const TAKEN_FLAGS: ReadonlySet<string> = new Set([
  '--help',
  '--version',
  ...COMMON.flatMap(({ long }) => long ?? []),
  ...verbs
    .filter(({ databaseFlags }) => databaseFlags !== undefined)
    .flatMap(({ options = [] }) => options.flatMap(({ flags }) => new Option(flags).long ?? [])),
]);

/**
 * Adds a verb, and those flags of databases.json that it accepts.
 *
 * @param action runs the verb with its options, camel-cased, and its operands
 */
export function addVerb(
  program: Command,
  { name, args = [], description, options = [], databaseFlags = [], example }: Verb,
  flags: readonly DatabaseFlag[],
  action: (options: CommonOptions, operands: readonly string[]) => Promise<void>,
): void {
  const command = program
    .command(name)
    .description(description)
    .allowExcessArguments(false)
    .helpOption('-h, --help', 'print this text')
    .addHelpText('after', `\nExample: ${example}`)
    .showHelpAfterError(`HINT:  npx backstop ${name} --help`)
    .action(() =>
      action({ ...command.opts<CommonOptions>(), json: command.opts().json === true }, command.args),
    );
  for (const [argument, text] of args) command.argument(argument, text);
  for (const { flags, description, fallback, excludes = [] } of options) {
    command.addOption(new Option(flags, description).default(fallback).conflicts([...excludes]));
  }
  for (const { flag, meaning, databases } of flags) {
    if (!databaseFlags.includes(meaning)) continue;
    const { describe, excludes } = DATABASE_FLAGS[meaning];
    command.addOption(new Option(flag, describe(databases)).conflicts([...excludes]));
  }
  for (const option of COMMON) command.addOption(option);
}
