// What `npm start` and `npm run generate-test-data` share: how options are read, and with which status a program exits.
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { formatError, isEnding } from '../lambda/migrator/model/errors.ts';

/** The options are wrong: one sentence that says what to write instead. */
export class UsageError extends Error {}

/** Reads the options of this process; throws UsageError for one that there is not, or that lacks its value. */
export function readArguments<Options extends NonNullable<ParseArgsConfig['options']>>(options: Options) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message.split('. ')[0]);
  }
}

/** Throws UsageError where the text is no whole number from `least`. */
export function wholeNumber(option: string, text: string, least: number): number {
  const number = Number(text);
  if (/^\d{1,9}$/.test(text) && number >= least) return number;
  throw new UsageError(`--${option} is "${text}"; write a whole number from ${least}`);
}

/**
 * Runs a program to its end. The status is what `main` returns, 2 where it was used wrongly, 1 where it failed.
 *
 * @param help the command that explains the options
 */
export async function runProgram(help: string, main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    const used = error instanceof UsageError;
    console.error(used ? formatError({ message: error.message, hint: help }) : (error as Error).message);
    process.exitCode = used || isEnding(error, 'ConfigurationError') ? 2 : 1;
  }
}
