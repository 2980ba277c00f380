// Expected output as text files, in which `#` replaces what differs from run to run.
//
// `specified/` holds the blocks of the quickstart and of the execution contract, word for word without the lines of
// pytest itself; `printed/` holds the complete output of the program if it prints more, or if they show nothing.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const GOLDEN = join(import.meta.dirname, 'golden');

/** The output equals the file, except for blanks at the end of a line, which editors remove. */
export function expectOutput(output: string, file: string): void {
  expect(withoutChance(output).replace(/ +$/gm, '')).toBe(read(file));
}

/** The output contains every line of the file, as often and in the same order; several blanks count as one. */
export function expectLinesOf(output: string, file: string): void {
  const expected = linesOf(read(file));
  const printed = linesOf(withoutChance(output));
  expect(printed.filter((line) => expected.includes(line))).toEqual(expected);
}

/** With `#` for durations, sizes, times and ids. */
function withoutChance(output: string): string {
  return output
    .replace(/\b\d+\.\d\ds\b/g, '#s')
    .replace(/\b\d+ (ms|bytes)\b/g, '# $1')
    .replace(/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g, '#')
    .replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '#');
}

/** Without the blanks that Markdown removes. */
function linesOf(output: string): string[] {
  return output
    .trim()
    .split('\n')
    .map((line) => line.trim().replace(/ +/g, ' '));
}

function read(file: string): string {
  return readFileSync(join(GOLDEN, `${file}.txt`), 'utf8');
}
