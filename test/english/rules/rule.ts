// One rule of our English, and how its pattern is put together.

export interface Rule {
  /** A short name, by which findings are counted. */
  readonly name: string;
  /** Every match is a finding. A space also matches one end of line; code and put-in values are `□`. */
  readonly pattern: RegExp;
  /** What to write instead. */
  readonly advice: string;
  /** A sentence with one finding. */
  readonly bad: string;
  /** The same in plain English, without a finding. */
  readonly good: string;
}

/** A word that begins a sentence, a comment or a text. */
export const first = (words: string) => `(?<=(?:^|[.:;!?|\\0])[*\\s]*)${words}`;
export const pattern = (...parts: string[]) => new RegExp(parts.join(''));
