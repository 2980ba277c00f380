// The command line in this process: its arguments in, what it said and how it ended out.
import { main } from '../../../bin/cli/main.ts';
import type { Terminal } from '../../../bin/cli/terminal.ts';
import { type TestDatabase, testServer } from '../../setup/database.ts';
import { urlOf } from '../../setup/url.ts';

export interface Circumstances {
  readonly env?: Terminal['env'];
  /** What somebody answers, one question after the other; without it nobody is there. The end of the input is ''. */
  readonly answers?: readonly string[];
  readonly unicode?: boolean;
}

export interface Ending {
  readonly status: number;
  /** Lines of standard output. */
  readonly out: readonly string[];
  /** Lines of standard error. */
  readonly err: readonly string[];
  readonly questions: readonly string[];
}

/** Runs the command line once, on a terminal without colours. */
export async function backstop(
  args: readonly string[],
  { env = {}, answers, unicode = true }: Circumstances = {},
): Promise<Ending> {
  const [out, err, questions]: [string[], string[], string[]] = [[], [], []];
  const asIs = (text: string) => text;
  const waiting = [...(answers ?? [])];
  const status = await main(args, {
    env,
    out: (text) => out.push(...text.split('\n')),
    err: (text) => err.push(...text.split('\n')),
    ask:
      answers &&
      (async (question) => {
        questions.push(question);
        return waiting.shift() ?? '';
      }),
    unicode,
    paint: { good: asIs, bad: asIs, warning: asIs, faint: asIs },
  });
  return { status, out, err, questions };
}

/** A server that nobody listens for: who gets as far as to connect to it says so. */
export const UNREACHABLE = 'postgresql://me:sesame@127.0.0.1:1/app';

/** As its owner, who is no superuser. */
export function databaseUrl({ name, settings: { user, password } }: TestDatabase): string {
  return urlOf({ ...testServer, user, password }, name);
}

/** The one document on standard output. */
export function document({ out }: Ending): unknown {
  return JSON.parse(out.join('\n'));
}
