// Whether the tests of this folder provoke every ending that an execution may have.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENDINGS } from '../../lambda/migrator/model/errors.ts';
import { refusals } from './twin.ts';

test('every ending is provoked', () => {
  const sources = readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => readFileSync(join(import.meta.dirname, file), 'utf8'));
  // As a case names it; every case runs, and ends by that name or fails.
  const provoked = sources.flatMap((source) =>
    [...source.matchAll(/\bending: '(\w+)'/g)].map(([, name]) => name),
  );
  expect(new Set(provoked.filter((name) => name !== 'Succeeded'))).toEqual(
    new Set([...Object.keys(ENDINGS), ...refusals]),
  );
});
