// Every Task of the state machine, made to fail in every way; docs/endings-evidence.md shows how each ended.
import { AWS } from './aws-cases.ts';
import { HAPPENED, INTERRUPTED, NAMED } from './cases.ts';
import type { Row } from './judge.ts';
import { describeRun, readPage, writePage } from './page.ts';
import { PLACES } from './places.ts';
import { REVISIONS } from './revision-cases.ts';
import { runCase } from './run-case.ts';

const order = Object.keys(PLACES);
const CASES = [...NAMED, ...HAPPENED, ...INTERRUPTED, ...AWS, ...REVISIONS].sort(
  (one, other) => order.indexOf(one.place) - order.indexOf(other.place),
);
const rows: Row[] = [];

describe(`the state machine in ${CASES.length} cases`, () => {
  for (const [number, fault] of CASES.entries()) {
    test.concurrent(`${fault.place}: ${fault.fault}`, async () => {
      rows[number] = await runCase(fault);
    });
  }

  test('docs/endings-evidence.md shows this run; if it did not, it does now', () => {
    // The array has a gap for each case that failed or did not run.
    expect(Object.keys(rows)).toHaveLength(CASES.length);
    const [before, now] = [readPage(), describeRun(rows)];
    writePage(now);
    expect(now).toBe(before);
  });
});
