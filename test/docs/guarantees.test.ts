// Every guarantee names tests, and these tests exist.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../lib/paths.ts';

const DOCS = join(ROOT, 'docs');
const guarantees = readFileSync(join(DOCS, 'guarantees.md'), 'utf8');
const [promised = '', notPromised] = guarantees.split('\n## What is not promised\n');
const held = [...promised.matchAll(/^- \[(.*)\]\((.*)\): (.*)$/gm)].map(([, file, link, name]) => ({
  file: file ?? '',
  link: link ?? '',
  name: name ?? '',
}));

test.each(held)('the test "$name" of a guarantee is in $file', ({ file, link, name }) => {
  expect(link).toBe(`../${file}`);
  // As it is in the code: the name of a test, or of one of its cases.
  expect(readFileSync(join(ROOT, file), 'utf8')).toContain(name);
});

test('every guarantee names a test', () => {
  const promises = promised.split('\n### ').slice(1);
  expect(promises.length).toBeGreaterThan(10);
  for (const promise of promises) expect(promise).toMatch(/^- \[test\//m);
});

test('the page lists what is not promised', () => {
  expect(notPromised).toMatch(/^- /m);
});

test.each([...guarantees.matchAll(/\]\(([^)]+)\)/g)].map(([, path = '']) => path))(
  'the link %s of the guarantees leads to a file',
  (path) => {
    expect(existsSync(join(DOCS, path))).toBe(true);
  },
);
