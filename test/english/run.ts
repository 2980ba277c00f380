// npm run english -- [--count] [FOLDER or FILE …]: prints phrases that are hard to read, with better ones.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Finding, findIn } from './find.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Texts that are specified word for word, and the examples of the rules. */
const OTHERS = ['test/english/english.test.ts', 'test/english/rules/', 'test/scenarios/golden/'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { count: { type: 'boolean', default: false } },
});

const files = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...positionals],
  {
    cwd: ROOT,
    encoding: 'utf8',
  },
)
  .split('\n')
  .filter((file) => file !== '' && !OTHERS.some((other) => file.startsWith(other)));
const findings = files.flatMap((file) => findIn(file, readFileSync(join(ROOT, file), 'utf8')));

if (values.count) {
  print('by rule', ({ rule }) => rule.name);
  print('by folder', ({ file }) => file.split('/').slice(0, -1).slice(0, 3).join('/') || '.');
} else {
  for (const { file, line, phrase, rule } of findings) {
    console.log(`${file}:${line}: "${phrase}": ${rule.advice} (${rule.name})`);
  }
}
console.log(`${findings.length} ${findings.length === 1 ? 'finding' : 'findings'} in ${files.length} files`);
process.exitCode = findings.length === 0 ? 0 : 1;

/** Prints how many findings there are for each key, the most frequent first. */
function print(title: string, keyOf: (finding: Finding) => string): void {
  const counts = Map.groupBy(findings, keyOf);
  const sorted = [...counts].sort(([, one], [, other]) => other.length - one.length);
  console.log(`${title}:`);
  for (const [key, { length }] of sorted) console.log(`${String(length).padStart(6)}  ${key}`);
}
