// Shapes of sentences that are hard to read: conditions, pronouns without a noun, inverted sentences.
import { first, pattern, type Rule } from './rule.ts';

export const SHAPES: readonly Rule[] = [
  // Conditions.
  {
    name: 'where-none',
    pattern:
      /\b[Ww]here (?:there (?:is|are|was|were)|none|nobody|nothing|neither|no (?!matter)\w+|some(?:one|body|thing)|any(?:one|body|thing)|both)\b/,
    advice: 'write "if" for a condition, "when" for a time; "where" is a place',
    bad: 'Undefined for a table where there is no index.',
    good: 'Undefined if the table has no index.',
  },
  {
    name: 'where-it',
    pattern: pattern(
      '\\b[Ww]here (?:it|they|that|this|these|one|each|he|you) ',
      '(?:(?:is|are|was|were|has|have|had) (?:not|no|none|neither|one|\\w+ed|gone|lost|taken|given|known|done)\\b',
      "|(?:does|do|did|can|could|may|must|would|will|should)(?:n't| not)?\\b|cannot\\b|needs?\\b|fails?\\b)",
    ),
    advice: 'write "if" for a condition, "when" for a time; "where" is a place',
    bad: 'Takes a snapshot, except on a server where it is not allowed.',
    good: 'Takes a snapshot if the server allows it.',
  },
  {
    name: 'where-first',
    pattern: pattern(first('Where '), '[^.?!;:|\\0]{3,160}?,'),
    advice: 'begin a condition with "If", a time with "When"',
    bad: 'Where the session is lost, the run ends.',
    good: 'If the session is lost, the run ends.',
  },
  {
    name: 'where-only',
    pattern:
      /\b(?:[Uu]ndefined|[Nn]ull|[Ee]mpty|[Tt]rue|[Ff]alse|[Nn]othing|[Nn]one|[Oo]nly|[Ee]xcept|[Ee]ven|[Zz]ero|[Aa]lso|(?:and|or|but),) where\b(?! to)/,
    advice: 'write "if", "unless" or "when"',
    bad: 'Returns undefined where the file is missing.',
    good: 'Returns undefined if the file is missing.',
  },
  {
    name: 'throws-where',
    pattern: /\b(?:[Tt]hrows?|[Rr]ejects?|[Ff]ails|[Rr]efuses|[Ee]nds)\b[^.;:\0]{0,80}? where\b/,
    advice: 'write "Throws X if …"',
    bad: 'Throws InvalidInput where the name is unknown.',
    good: 'Throws InvalidInput if the name is unknown.',
  },
  // Name the thing.
  {
    name: 'none',
    pattern: pattern(
      `(?<!\\b[Tt]here )\\b(?:is|are|was|were|has|have|had) none\\b(?! of)`,
      '|\\b[Nn]one (?:is|are|was|were) (?!of)',
    ),
    advice: 'name what is missing: "has no X", "an invalid X", "You cannot …", "No X is …"',
    bad: 'A downgrade to head is none.',
    good: 'You cannot downgrade to head.',
  },
  {
    name: 'nobody',
    // Alone between two marks of code it is the name of a system user.
    pattern: /(?<!\0)\b[Nn]obody\b|\b[Nn]obody\b(?!\0)/,
    advice: 'name the person or the program, or write a passive sentence: "X is not used"',
    bad: 'Nobody reads this column.',
    good: 'This column is not read.',
  },
  {
    name: 'whoever',
    pattern: /\b(?:[Ww]hoever|[Ww]hosoever|[Ww]homever)\b/,
    advice: 'name the person or the thing: "the operator", "anyone who", "every value"',
    bad: 'Whoever starts it sees the plan.',
    good: 'The operator sees the plan.',
  },
  {
    name: 'one-that',
    pattern: /\b(?:[Oo]ne|[Oo]nes|[Tt]hat|[Tt]hose) (?:that|which)\b(?! (?:of|is why|same)\b)/,
    advice: 'repeat the noun: "a revision that …", "the tables that …"',
    bad: 'A chain with one that is missing is invalid.',
    good: 'A chain with a missing revision is invalid.',
  },
  {
    name: 'that-of',
    pattern: /\b(?:is|are|was|were|than|as|with|from|like|not|by|to) (?:that|those) of\b/,
    advice: 'repeat the noun, or use a possessive: "the secret of X", "X\'s secret"',
    bad: 'The passwords are those of the old server.',
    good: 'The passwords come from the old server.',
  },
  {
    name: 'what-first',
    pattern: pattern(
      '(?<=(?:^|[.:;!?\\0])[*\\s]*)[Ww]hat ',
      '(?!to )(?:□|\\w)[^.?!;:|\\0]{0,240}?(?=[.;:\\0]|$)',
    ),
    advice: 'begin with the thing: "The tables that …", "Settings of …"',
    bad: 'What the functions of a stack share.',
    good: 'Settings that all functions of a stack share.',
  },
  {
    name: 'what-object',
    pattern:
      /(?:\b(?:of|by|from|with|than|as|besides?|into|like|without|until|before|after|through|within|upon|against|under|over|only|but|not)|, (?:and|or)) what\b(?! (?:to|kind|order|if)\b)/,
    advice: 'name the thing that "what" means',
    bad: 'It returns the parts of what it read.',
    good: 'It returns the parts of the file.',
  },
  {
    name: 'what-done',
    pattern:
      /\bwhat (?:(?:is|are|was|were)|(?:has|have|had) been) (?!needed|expected)\w+(?:ed|own|iven|aken|ritten|one|ft|und|ld)\b/,
    advice: 'name the thing: "drops the retired tables", not "drops what was retired"',
    bad: 'Drops what was retired.',
    good: 'Drops the retired tables.',
  },
  {
    name: 'is-what',
    pattern: /\b(?:is|are|was|were) what\b/,
    advice: 'make the thing the subject: "The test reads X", not "X is what the test reads"',
    bad: 'The header is what the program reads first.',
    good: 'The program reads the header first.',
  },
  // Subject, verb, object.
  {
    name: 'cleft',
    pattern: pattern(
      first('(?:It|it) '),
      '(?:is|was) (?:not |only )?(?:the|here|there|then|in|at|by|with|from)\\b[^.,;:\\0]{1,50}? that\\b',
    ),
    advice: 'write subject, verb, object: "The database decides", not "It is the database that decides"',
    bad: 'It is the database that decides.',
    good: 'The database decides.',
  },
  {
    name: 'of-first',
    pattern: pattern(first('Of '), '(?!course)[^.?!:\\0]{2,80}'),
    advice: 'begin with the subject: "Each table has …", not "Of each table there is …"',
    bad: 'Of each table the first row is read.',
    good: 'The first row of each table is read.',
  },
  {
    name: 'inverted',
    pattern: pattern(
      first(
        '(?:Only (?:with|where|when|then|by|after|if|in|for|from|so|here|there)|Never(?! \\w+s\\b)|Nor|Not until|Nowhere)\\b',
      ),
      '[^.;:\\0]{0,70}? (?:does|do|did|can|may|has|have|is|are|was|will)\\b',
    ),
    advice: 'begin with the subject, then the verb',
    bad: 'Only with this variable does Node read the file.',
    good: 'Node reads the file only with this variable.',
  },
  {
    name: 'which-first',
    pattern: pattern(first('(?:By|In|From|With|To|On|For|At|Of) (?:which|whom|these|those)\\b(?! \\w+s\\b)')),
    advice: 'begin with a noun or a verb, not with a relative pronoun',
    bad: 'To which the alarms go.',
    good: 'The topic that the alarms notify.',
  },
  {
    name: 'of-its-own',
    pattern: /\bof (?:its|their|his|your|our|one's) (?:very )?own\b/,
    advice: 'write "its own X", "a separate X", or just "a X"',
    bad: 'Every ending has a name of its own.',
    good: 'Every ending has a name.',
  },
  {
    name: 'to-be-done',
    pattern: /\b(?:is|are|was|were) (?:not )?to (?:be|have) \w+/,
    advice: 'write "must", "will" or "can"',
    bad: 'The table is to be dropped later.',
    good: 'Backstop will drop the table later.',
  },
];
