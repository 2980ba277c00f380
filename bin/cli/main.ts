// The program: reads the arguments, runs one verb, prints its answer, and says by the exit status how it ended.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import { BackstopError, formatError } from '../../lambda/migrator/model/errors.ts';
import type { Listener } from '../../lambda/migrator/model/events.ts';
import { MIGRATIONS, ROOT } from '../../lib/paths.ts';
import { DONE, FAILED, USED_WRONGLY } from './exit-status.ts';
import { describeFailure, failureStatus } from './failure.ts';
import { withLogFile } from './log-file.ts';
import { progressLines } from './progress.ts';
import type { Terminal } from './terminal.ts';
import type { Answer, CommonOptions, Verb } from './verb.ts';
import { verbs } from './verbs.ts';

/**
 * Runs the command line.
 *
 * @param args what stands behind `backstop`
 * @returns the exit status: 0 done, 1 failed, 2 used wrongly
 */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  let status = DONE;
  const program = makeProgram(terminal);
  for (const verb of verbs) {
    addVerb(program, verb, async (options, operands) => {
      status = await runVerb(verb, options, operands, terminal);
    });
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? DONE : USED_WRONGLY;
    throw error;
  }
}

function makeProgram(terminal: Terminal): Command {
  return new Command('backstop')
    .description('Runs the revisions of a PostgreSQL database: in one transaction, told truthfully.')
    .version(readVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'print this text')
    .helpCommand(false)
    .addHelpText(
      'after',
      `
Which database: --database NAME of migrations/databases.json (default: the first); its URL is read from the
variable that stands there, such as DATABASE_URL, or given with --url.
Exit status: 0 done, 1 failed and the database unchanged unless the message says otherwise, 2 used wrongly.
Example: DATABASE_URL=postgresql://localhost/codebase_mcp npx backstop upgrade head`,
    )
    .showHelpAfterError('HINT:  npx backstop --help')
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(withoutPassword(text.trimEnd())),
      outputError: (text, write) => write(text.replace(/^error: (.)/, (_, first) => first.toUpperCase())),
    })
    .exitOverride()
    .action(function (this: Command) {
      if (this.args.length > 0) this.error(`error: there is no verb '${this.args[0]}'`);
      this.help({ error: true });
    })
    .allowExcessArguments();
}

function readVersion(): string {
  return JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version;
}

/** What is unknown is quoted, and it may be a URL. */
function withoutPassword(text: string): string {
  return text.replace(/(:\/\/[^\s:@/]*):\S*@/g, '$1:***@').replace(/([?&]password=)[^\s&'"]*/gi, '$1***');
}

const COMMON: readonly Option[] = [
  new Option('--database <name>', 'a name in databases.json'),
  new Option('--url <url>', 'where the database is, instead of its variable'),
  new Option('--migrations <folder>', 'the folder that holds databases.json').default(
    MIGRATIONS,
    'migrations of this checkout',
  ),
  new Option('--json', 'print one JSON document on standard output').default(false),
  new Option('--log-file <file>', 'also write what is printed, with the time, to the end of this file'),
];

function addVerb(
  program: Command,
  { name, args = [], description, options = [], example }: Verb,
  action: (options: CommonOptions, operands: readonly string[]) => Promise<void>,
): void {
  const command = program
    .command(name)
    .description(description)
    .allowExcessArguments(false)
    .helpOption('-h, --help', 'print this text')
    .addHelpText('after', `\nExample: ${example}`)
    .showHelpAfterError(`HINT:  npx backstop ${name} --help`)
    .action(() => action(command.opts(), command.args));
  for (const [argument, text] of args) command.argument(argument, text);
  for (const { flags, description, fallback, excludes = [] } of options) {
    command.addOption(new Option(flags, description).default(fallback).conflicts([...excludes]));
  }
  for (const option of COMMON) command.addOption(option);
}

async function runVerb(
  verb: Verb,
  options: CommonOptions,
  args: readonly string[],
  terminal: Terminal,
): Promise<number> {
  // Until the log file is open, and where it cannot be, the terminal is told alone.
  let speaker = terminal;
  // With --json, standard output is the document's alone.
  const tell = (line: string) => (options.json ? speaker.err(line) : speaker.out(line));
  const print = ({ lines, json }: Answer) => {
    if (options.json) speaker.out(JSON.stringify(json, null, 2));
    else for (const line of lines) speaker.out(line);
  };
  let rolledBack = false;
  const show = progressLines(terminal, tell);
  const listener: Listener = (event) => {
    rolledBack ||= event.type === 'rolled back';
    show(event);
  };
  try {
    refuseStrayUrl(args, options);
    speaker = withLogFile(terminal, options.logFile);
    const answer = await verb.run({ args, options: options as never, terminal: speaker, listener, tell });
    print(answer);
    return answer.status ?? DONE;
  } catch (error) {
    if (!(error instanceof BackstopError)) {
      speaker.err(
        formatError({
          message: `A fault of Backstop itself: ${error instanceof Error ? error.message : String(error)}`,
          hint: 'npx backstop status tells where the database is. Report the command and this line.',
        }),
      );
      return FAILED;
    }
    const { lines, json } = describeFailure(error, terminal);
    for (const line of lines) speaker.err(line);
    if (rolledBack) speaker.err('\nROLLBACK (automatic)');
    if (options.json) print({ lines, json });
    return failureStatus(error);
  }
}

/** A URL in the place of something else would be quoted where that is refused, with its password. */
function refuseStrayUrl(operands: readonly string[], options: CommonOptions): void {
  const others = Object.entries(options).filter(([name]) => name !== 'url' && name !== 'message');
  const values = [...operands, ...others.map(([, value]) => value)];
  if (!values.some((value) => String(value).includes('://'))) return;
  throw new BackstopError('InvalidInput', {
    message: 'A URL stands where none belongs',
    hint: 'Write it behind --url, or into the variable of its database.',
  });
}
