// What a verb of the command line is: its words, and what it does.
import type { Listener } from '../../lambda/migrator/model/events.ts';
import type { Terminal } from './terminal.ts';

/** What every verb accepts. */
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
  readonly terminal: Terminal;
  /** Shows what happens while it happens: on standard output, or with --json on standard error. */
  readonly listener: Listener;
  /** Shows a line in the same place. */
  tell(line: string): void;
}

/** What a verb has to say in the end: as lines for people, or as one document. */
export interface Answer {
  readonly lines: readonly string[];
  readonly json: unknown;
  /** Default: 0. */
  readonly status?: number;
}

export interface OptionWords {
  /** As commander reads it: `--lock-wait <seconds>`. */
  readonly flags: string;
  readonly description: string;
  readonly fallback?: string;
  /** Names of options, camel-cased, that mean something else: with one of them the use is wrong. */
  readonly excludes?: readonly string[];
}

export interface Verb {
  readonly name: string;
  /** As commander reads them: `[target]`, `<revision>`. */
  readonly args?: readonly (readonly [name: string, description: string])[];
  readonly description: string;
  readonly options?: readonly OptionWords[];
  readonly example: string;
  /** The options are those of `options`, camel-cased. */
  run(call: Call<never>): Promise<Answer>;
}
