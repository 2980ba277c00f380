// Licences of shipped packages: a licence that asks for more than its text is refused.
import { isPermitted } from '../../bin/licences/permitted.ts';

test.each([
  'MIT',
  'Apache-2.0',
  '(MIT OR GPL-3.0-or-later)',
  'GPL-2.0-only OR ISC',
  'MIT AND Apache-2.0',
  'LGPL-3.0 OR MIT AND ISC',
])('%s is permitted', (expression) => {
  expect(isPermitted(expression)).toBe(true);
});

test.each([
  undefined,
  '',
  'GPL-3.0-or-later',
  'AGPL-3.0-only',
  'LGPL-2.1',
  'SSPL-1.0',
  'MIT AND GPL-2.0-only',
  'SEE LICENSE IN LICENSE',
  'UNLICENSED',
  '(MIT OR (GPL-2.0 AND ISC))',
])('%s is refused', (expression) => {
  expect(isPermitted(expression)).toBe(false);
});
