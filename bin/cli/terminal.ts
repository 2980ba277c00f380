// Where the command line writes and asks: the terminal or the pipes of this process, or those of a test.
import { createInterface } from 'node:readline/promises';
import colors from 'picocolors';
import { FAILED } from './exit-status.ts';

type Paint = (text: string) => string;

export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Writes a line to standard output. */
  out(line: string): void;
  /** Writes a line to standard error. */
  err(line: string): void;
  /** Asks for a line; undefined without a terminal. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  /** Whether ✓ and ✅ can be shown. */
  readonly unicode: boolean;
  /** Colors the text on a terminal, unless NO_COLOR is set; otherwise returns it unchanged. */
  readonly paint: Readonly<Record<'good' | 'bad' | 'warning' | 'faint', Paint>>;
}

export function processTerminal(): Terminal {
  const { env, stdin, stdout, stderr } = process;
  for (const stream of [stdout, stderr]) stream.on('error', endUnheard);
  const seen = [stdout, stderr].every(({ isTTY }) => isTTY === true);
  const { green, red, yellow, dim } = colors.createColors(colors.isColorSupported && seen);
  return {
    env,
    out: (line) => stdout.write(`${line}\n`),
    err: (line) => stderr.write(`${line}\n`),
    ask: stdin.isTTY && stderr.isTTY ? askOn(stdin, stderr) : undefined,
    unicode: hasUnicode(env),
    paint: { good: green, bad: red, warning: yellow, faint: dim },
  };
}

/** A reader such as `head` may close the pipe early. Any other error, such as a full disk, loses output. */
function endUnheard(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') return;
  process.stderr.write(
    `The output cannot be written: ${error.message}. The server rolls back whatever was not committed.\nHINT:  npx backstop status shows where the database is.\n`,
  );
  process.exit(FAILED);
}

/** Standard output may be a pipe: the question goes to standard error. */
function askOn(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): NonNullable<Terminal['ask']> {
  return async (question) => {
    const lines = createInterface({ input, output });
    // The end of the input counts as an empty answer.
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    try {
      return await Promise.race([lines.question(question), ended]);
    } finally {
      lines.close();
    }
  };
}

/** Decided by the locale; every current terminal on Windows shows Unicode. */
function hasUnicode({ LC_ALL, LC_CTYPE, LANG }: Terminal['env']): boolean {
  return process.platform === 'win32' || /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '');
}

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** On SIGINT and SIGTERM, prints what the interruption means for the database, and exits. */
export function tellInterruption(): void {
  for (const [signal, status] of Object.entries(SIGNALS)) {
    process.once(signal, () => {
      process.stderr.write(
        'Interrupted: the server rolls back whatever was not committed.\nHINT:  npx backstop status shows where the database is.\n',
      );
      process.exit(status);
    });
  }
}
