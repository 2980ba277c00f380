// Words and phrases that have a shorter or more common equivalent.
import type { Rule } from './rule.ts';

export const WORDS: readonly Rule[] = [
  // Short, common words.
  {
    name: 'stands',
    pattern: /\b(?:[Ss]tands|[Ss]tood|[Ss]tand|[Ss]tanding)\b(?!-| (?:in )?for\b)/,
    advice: 'write "is", "exists", or what it does: "blocks", "contains"',
    bad: 'The name stands in the header.',
    good: 'The name is in the header.',
  },
  {
    name: 'bears',
    pattern: /\b[Bb](?:ears?|ore|orne|earing)\b/,
    advice: 'write "has", "carries" or "survives"',
    bad: 'A snapshot that bears the tag is deleted.',
    good: 'A snapshot with the tag is deleted.',
  },
  {
    name: 'dear',
    pattern: /\b[Dd]ear(?:er|est|ly)?\b/,
    advice: 'write "expensive" or "slow"',
    bad: 'This check is dear.',
    good: 'This check is slow.',
  },
  {
    name: 'told',
    pattern: /\b[Tt]old\b(?! (?:(?:not )?to|apart)\b)|\b(?:[Tt]ells?|[Tt]elling) of\b/,
    advice: 'write "reported", "printed", "notified", "shown"',
    bad: 'The topic is told of the end.',
    good: 'The end is reported to the topic.',
  },
  {
    name: 'as-often-as',
    pattern: /\bas often as\b/,
    advice: 'write "once for each", "every time"',
    bad: 'It runs as often as there are databases.',
    good: 'It runs once for each database.',
  },
  {
    name: 'hand-on',
    pattern: /\b[Hh]and(?:s|ed|ing)? (?:it |them )?on\b/,
    advice: 'write "passes", "returns" or "forwards"',
    bad: 'The state hands on its error.',
    good: 'The state returns its error.',
  },
  {
    name: 'house',
    pattern: /\b(?:[Hh]ouses?|[Aa]ffairs?)\b/,
    advice: 'write the word of the field: "repository", "project"; say who decides',
    bad: 'How long it takes is the affair of RDS.',
    good: 'RDS decides how long it takes.',
  },
  {
    name: 'look',
    pattern: /\b(?:[Aa]n?|[Tt]he|[Ee]ach|[Ee]very|one|first|last|[Nn]o|second|its) look\b/,
    advice: 'write the word of the field: "query", "request"',
    bad: 'Each look at the database takes a second.',
    good: 'Each query takes a second.',
  },
  {
    name: 'anew',
    pattern: /\b[Aa]new\b/,
    advice: 'write "again" or "new"',
    bad: 'Draw the picture anew.',
    good: 'Draw the picture again.',
  },
  {
    name: 'shall',
    pattern: /\b[Ss]hall\b/,
    advice: 'write "must", "should" or "will"',
    bad: 'This is where the database shall be.',
    good: 'This is the target of the run.',
  },
  {
    name: 'old-words',
    pattern:
      /\b(?:[Tt]here(?:of|in|upon|by|to)|[Ww]here(?:by|in|upon|of)|[Hh]ereby|[Hh]enceforth|[Ll]est|[Hh]ither(?:to)?|[Ww]hence|[Tt]hence|[Uu]nto|[Uu]pon|[Nn]ought|[Aa]ught)\b/,
    advice: 'use a word that people say: "by which", "in it", "so far"',
    bad: 'The table and the rows therein.',
    good: 'The table and its rows.',
  },
  {
    name: 'of-then',
    pattern: /\b(?:of then|of now|of before|from of old|such a one|became of|becomes of)\b/,
    advice: 'say which time or which thing you mean',
    bad: 'The passwords are the words of then.',
    good: 'The passwords date from the snapshot.',
  },
  // Singular and plural.
  {
    name: 'all-1',
    pattern: /\b[Aa]ll (?:1|□) (?!of\b)[a-z]+s\b/,
    advice: 'write "all checks", or "1 check" and "3 checks"',
    bad: 'all □ checks passed',
    good: 'all checks passed',
  },
  {
    name: 'plural',
    pattern:
      /(?<![\d.,-])\b1 (?:rows|tables|checks|steps|revisions|databases|seconds|minutes|days|cases|files|columns|locks|bytes|times|tests|states|functions|errors)\b/,
    advice: 'after 1 write the singular',
    bad: '1 rows were lost',
    good: '1 row was lost',
  },
];
