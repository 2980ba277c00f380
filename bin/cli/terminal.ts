// Where the command line writes to and asks: the terminal or the pipes of this process, or those of a test.
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
  /** Asks for a line; undefined where nobody is there to answer. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  /** Whether ✓ and ✅ can be shown. */
  readonly unicode: boolean;
  /** Colours where they can be seen and NO_COLOR does not forbid them; else the text as it is. */
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

/** The reader of a pipe may have seen enough, as `head` has. Anything else, such as a full disk, loses what is said. */
function endUnheard(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') return;
  process.stderr.write(
    `The output cannot be written: ${error.message}. What was not committed, the server rolls back.\nHINT:  npx backstop status tells where the database is.\n`,
  );
  process.exit(FAILED);
}

/** Standard output may be a pipe: the question goes to standard error. */
function askOn(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): NonNullable<Terminal['ask']> {
  return async (question) => {
    const lines = createInterface({ input, output });
    // The end of the input is an answer, too.
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    try {
      return await Promise.race([lines.question(question), ended]);
    } finally {
      lines.close();
    }
  };
}

/** As the locale says; on Windows every terminal of today can. */
function hasUnicode({ LC_ALL, LC_CTYPE, LANG }: Terminal['env']): boolean {
  return process.platform === 'win32' || /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '');
}

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** Says in a sentence what it means that the run was interrupted, instead of ending without a word. */
export function tellInterruption(): void {
  for (const [signal, status] of Object.entries(SIGNALS)) {
    process.once(signal, () => {
      process.stderr.write(
        'Interrupted. What was not committed, the server rolls back.\nHINT:  npx backstop status tells where the database is.\n',
      );
      process.exit(status);
    });
  }
}
