// Runs the command line in this process, and returns its output and its exit status.
import { main } from '../../../bin/cli/main.ts';
import type { Terminal } from '../../../bin/cli/terminal.ts';
import { type TestDatabase, testServer } from '../../setup/database.ts';
import { urlOf } from '../../setup/url.ts';

export interface Circumstances {
  readonly env?: Terminal['env'];
  /** The answers to the questions, in order; without them there is no terminal. The end of the input is ''. */
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

/** Runs the command line once, on a terminal without colors. */
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

/** The URL of a server that cannot be reached, so that an attempt to connect fails visibly. */
export const UNREACHABLE = 'postgresql://me:sesame@127.0.0.1:1/app';

/** For the owner of the database, who is not a superuser. */
export function databaseUrl({ name, settings: { user, password } }: TestDatabase): string {
  return urlOf({ ...testServer, user, password }, name);
}

/** The one document on standard output. */
export function document({ out }: Ending): unknown {
  return JSON.parse(out.join('\n'));
}

/** Writes these versions into Alembic's table, as another tool would. */
export async function pretendVersions(database: TestDatabase, versions: readonly string[]): Promise<void> {
  await database.query(
    `CREATE TABLE alembic_version (version_num varchar(32) CONSTRAINT alembic_version_pkc PRIMARY KEY);
     INSERT INTO alembic_version VALUES ${versions.map((version) => `('${version}')`).join(', ')}`,
  );
}
