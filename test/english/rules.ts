// All rules of our English. cspell.json has the single words that are wrong in code, too.
import { SHAPES } from './rules/shapes.ts';
import { WORDS } from './rules/words.ts';

export type { Rule } from './rules/rule.ts';

export const RULES = [...SHAPES, ...WORDS];
