// The paragraphs of a script that make the functions of retiring, and drop them again.
import { DROP_FUNCTIONS, MAKE_FUNCTIONS } from './functions.ts';
import { MAKE_RECORD } from './record.ts';

export const MAKE_RETIRING = `-- The functions that the steps call, and the record of retired tables and columns.
${MAKE_RECORD};
${MAKE_FUNCTIONS}`;

export const DROP_RETIRING = `-- The functions were for this script alone.
${DROP_FUNCTIONS};`;
