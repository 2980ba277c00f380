// Finds the phrases of the rules in the prose of files.
import { proseOf } from './prose.ts';
import { RULES, type Rule } from './rules.ts';

export interface Finding {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly rule: Rule;
  /** The words that were found, on one line. */
  readonly phrase: string;
}

/** A space in a rule's pattern also means one end of line; two end a paragraph. */
const PATTERNS = RULES.map((rule) => {
  const { source, flags } = rule.pattern;
  return {
    rule,
    pattern: new RegExp(source.replaceAll(' ', '(?:[^\\S\\n]+|[^\\S\\n]*\\n[^\\S\\n]*)'), `${flags}g`),
  };
});

/** Returns the findings of all rules in a file, from the top down. */
export function findIn(file: string, text: string): Finding[] {
  const prose = proseOf(file, text);
  const findings = PATTERNS.flatMap(({ rule, pattern }) =>
    [...prose.matchAll(pattern)].map((match) => ({
      file,
      line: prose.slice(0, match.index).split('\n').length,
      rule,
      phrase: match[0].replace(/\s+/g, ' ').trim(),
    })),
  );
  return findings.sort((one, other) => one.line - other.line);
}
