// --log-file: everything that the command line prints, appended to a file with the time.
import { appendFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { BackstopError } from '../../lambda/migrator/model/errors.ts';
import type { Terminal } from './terminal.ts';

/**
 * The terminal; its output is also appended to the file.
 *
 * @throws ConfigurationError if the file cannot be written: before the verb runs
 */
export function withLogFile(terminal: Terminal, file: string | undefined): Terminal {
  if (file === undefined) return terminal;
  try {
    appendFileSync(file, '');
  } catch (cause) {
    throw new BackstopError(
      'ConfigurationError',
      {
        message: `The log file ${file} cannot be written`,
        detail: (cause as Error).message,
        hint: 'Name another one with --log-file.',
      },
      { cause },
    );
  }
  const keep = (line: string) => {
    const text = stripVTControlCharacters(line).trimEnd();
    if (text !== '') appendFileSync(file, `${new Date().toISOString()} ${text}\n`);
  };
  const both = (write: (line: string) => void) => (line: string) => {
    write(line);
    keep(line);
  };
  return { ...terminal, out: both(terminal.out), err: both(terminal.err) };
}
