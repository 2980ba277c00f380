// The program: reads the arguments, runs one verb, prints its result, and reports success or failure by the exit status.
import { CommanderError } from 'commander';
import { loadReader } from '../../lambda/migrator/grammar/postgres.ts';
import { BackstopError } from '../../lambda/migrator/model/errors.ts';
import { toJson } from '../../lambda/migrator/model/printable.ts';
import { TwoHeads } from '../../lambda/migrator/revisions/chain.ts';
import { addVerb, makeProgram, TAKEN_FLAGS } from './commands.ts';
import { DONE, FAILED, USED_WRONGLY } from './exit-status.ts';
import { describeFailure, failureStatus } from './failure.ts';
import { type AddedFlags, readFlags } from './flags.ts';
import { adviseOnHeads } from './heads.ts';
import { withLogFile } from './log-file.ts';
import { safeTerminal } from './safe-terminal.ts';
import type { Terminal } from './terminal.ts';
import type { Call, CommonOptions, Verb, VerbResult } from './verb.ts';
import { verbs } from './verbs.ts';
import type { Voice } from './voice/voice.ts';
import { listenerFor, voiceOf } from './voice.ts';

/**
 * Runs the command line.
 *
 * @param args the arguments after `backstop`
 * @returns the exit status: 0 done, 1 failed, 2 used wrongly
 */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  let status = DONE;
  const program = makeProgram(safeTerminal(terminal));
  const added = readFlags(args, TAKEN_FLAGS);
  for (const verb of verbs) {
    addVerb(program, verb, added.flags, async (options, operands) => {
      status = await runVerb(verb, options, operands, added, terminal);
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

async function runVerb(
  verb: Verb,
  options: CommonOptions,
  args: readonly string[],
  { flags, problem }: AddedFlags,
  terminal: Terminal,
): Promise<number> {
  // If the log file cannot be opened, only the terminal shows why.
  let open = terminal;
  let speaker = safeTerminal(open);
  // With --json, only the document goes to standard output.
  const tell = (line: string) => (options.json ? speaker.err(line) : speaker.out(line));
  let rollback: readonly string[] = [];
  let voice: Voice | undefined;
  const listen: Call['listen'] = (database) => {
    const spoken = voiceOf(database, speaker);
    voice = spoken;
    const show = listenerFor(spoken, tell);
    return (event) => {
      if (event.type === 'rolled back') rollback = spoken.rollback(event.from);
      show(event);
    };
  };
  try {
    if (problem) throw problem;
    refuseStrayUrl(args, options);
    open = withLogFile(terminal, options.logFile);
    speaker = safeTerminal(open);
    const typed = flags.filter(({ attribute }) => (options as unknown as Record<string, unknown>)[attribute]);
    const read = await loadReader();
    const call: Call = { args, options, flags: typed, terminal: speaker, read, listen, tell };
    const result = await verb.run(call as never);
    print(result, options, result.isFile ? open : speaker);
    return result.status ?? DONE;
  } catch (thrown) {
    const asks = thrown instanceof TwoHeads && !verb.offline && !('sql' in options);
    const error = asks ? await adviseOnHeads(thrown, { options, terminal: speaker }) : thrown;
    return reportError(error, { voice, rollback }, options, speaker);
  }
}

function print({ lines, json }: VerbResult, options: CommonOptions, terminal: Terminal): void {
  if (options.json) for (const line of toJson(json, 2).split('\n')) terminal.out(line);
  else for (const line of lines) terminal.out(line);
}

/**
 * Prints why the verb failed, and returns the exit status.
 *
 * @param voice of the database, if it is known which one it is
 * @param rollback lines that follow the error if a run was rolled back
 */
function reportError(
  error: unknown,
  { voice, rollback }: { readonly voice: Voice | undefined; readonly rollback: readonly string[] },
  options: CommonOptions,
  terminal: Terminal,
): number {
  if (!(error instanceof BackstopError)) {
    terminal.err(`This is a bug in Backstop: ${error instanceof Error ? error.message : String(error)}`);
    terminal.err('HINT:  npx backstop status shows where the database is. Report the command and this line.');
    return FAILED;
  }
  const result = describeFailure(error, terminal, voice);
  for (const line of [...result.lines, ...rollback]) terminal.err(line);
  if (options.json) print(result, options, terminal);
  return failureStatus(error);
}

/** An operand or option that is refused is quoted: with a URL in its place, its password would be printed. */
function refuseStrayUrl(operands: readonly string[], options: CommonOptions): void {
  const others = Object.entries(options).filter(([name]) => name !== 'url' && name !== 'message');
  const values = [...operands, ...others.map(([, value]) => value)];
  if (!values.some((value) => String(value).includes('://'))) return;
  throw new BackstopError('InvalidInput', {
    message: 'A URL was given where another value is expected',
    hint: 'Give the URL with --url, or in the environment variable of its database.',
  });
}
