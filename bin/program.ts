// How the programs beside the command line read their options, and which exit status they end with.
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { formatError, isEnding } from '../lambda/migrator/model/errors.ts';
import { printableLines } from '../lambda/migrator/model/printable.ts';

/** The options are wrong; the message is one sentence that names the remedy. */
export class UsageError extends Error {}

/** Reads the options of this process; throws UsageError for an unknown option, or one without its value. */
export function readArguments<Options extends NonNullable<ParseArgsConfig['options']>>(options: Options) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message.split('. ')[0]);
  }
}

/** Throws UsageError if the text is not a whole number, or is below `least`. */
export function wholeNumber(option: string, text: string, least: number): number {
  const number = Number(text);
  if (/^\d{1,9}$/.test(text) && number >= least) return number;
  throw new UsageError(`--${option} is "${text}"; write a whole number, at least ${least}`);
}

/**
 * Runs a program to its end. The exit status is the number that `main` returns, 2 if the options are wrong, or 1 if it
 * fails.
 *
 * @param help the command that explains the options
 */
export async function runProgram(help: string, main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    const used = error instanceof UsageError;
    console.error(
      used ? formatError({ message: error.message, hint: help }) : printableLines((error as Error).message),
    );
    process.exitCode = used || isEnding(error, 'ConfigurationError') ? 2 : 1;
  }
}
