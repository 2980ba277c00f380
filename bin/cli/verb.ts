// A verb of the command line: its words, its options and its function.
import type { Reader } from '../../lambda/migrator/grammar/statement.ts';
import type { Listener } from '../../lambda/migrator/model/events.ts';
import type { Database } from '../../lambda/migrator/revisions/databases.ts';
import type { DatabaseFlag, FlagMeaning } from './flags.ts';
import type { Terminal } from './terminal.ts';

/** The options that every verb accepts. */
export interface CommonOptions {
  readonly migrations: string;
  readonly json: boolean;
  readonly database?: string;
  readonly url?: string;
  readonly logFile?: string;
}

/** One use of a verb. */
export interface Call<Options = unknown> {
  readonly args: readonly string[];
  readonly options: CommonOptions & Options;
  /** The flags of databases.json that were typed. */
  readonly flags: readonly DatabaseFlag[];
  readonly terminal: Terminal;
  /** Reads the SQL of the revisions. */
  readonly read: Reader;
  /** Shows a run while it goes on, in the voice of its database: on standard output, or with --json on standard error. */
  listen(database: Database): Listener;
  /** Shows a line in the same place. */
  tell(line: string): void;
}

/** The result that a verb prints in the end: as lines for people, or as one document. */
export interface VerbResult {
  readonly lines: readonly string[];
  readonly json: unknown;
  /** Default: 0. */
  readonly status?: number;
  /** Whether the lines are a file, which is printed as it is. Default: false. */
  readonly isFile?: boolean;
}

export interface OptionWords {
  /** As commander reads it: `--lock-wait <seconds>`. */
  readonly flags: string;
  readonly description: string;
  readonly fallback?: string;
  /** Names of options, camel-cased, that cannot be used together with this one. */
  readonly excludes?: readonly string[];
}

export interface Verb {
  readonly name: string;
  /** As commander reads them: `[target]`, `<revision>`. */
  readonly args?: readonly (readonly [name: string, description: string])[];
  readonly description: string;
  readonly options?: readonly OptionWords[];
  /** Which flags of databases.json the verb accepts; default: none. */
  readonly databaseFlags?: readonly FlagMeaning[];
  readonly example: string;
  /** Whether it only reads the folders. Default: false. */
  readonly offline?: boolean;
  /** The call has the options of `options`, camel-cased. */
  run(call: Call<never>): Promise<VerbResult>;
}
