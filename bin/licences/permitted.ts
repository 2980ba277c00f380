// Licences: those under which a package may be shipped, in the words of SPDX.

/** They ask for no more than their text. Every other licence is refused: GPL, LGPL, AGPL, SSPL, and any unknown word. */
const PERMITTED = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'PostgreSQL',
  'Unlicense',
  'Zlib',
]);

/**
 * Whether a package with this licence may be shipped. For `A OR B` one side must be permitted, for `A AND B` both. Nested parentheses are
 * not read: such an expression is refused.
 */
export function isPermitted(expression: string | undefined): boolean {
  if (expression === undefined) return false;
  const plain = expression.trim().replace(/^\(([^()]*)\)$/, '$1');
  return plain
    .split(/\s+OR\s+/)
    .some((side) => side.split(/\s+AND\s+/).every((licence) => PERMITTED.has(licence.trim())));
}
