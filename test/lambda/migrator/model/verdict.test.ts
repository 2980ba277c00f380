// The verdict as it is printed: which checks share a line, and whether it holds.
import type { CheckReport } from '../../../../lambda/migrator/model/report.ts';
import { verdictLines } from '../../../../lambda/migrator/model/verdict.ts';

const report = (id: string, passed: boolean, ...shownAs: string[]): CheckReport => ({
  revision: '001',
  id,
  title: `title of ${id}`,
  shownAs,
  passed,
  violations: passed ? 0 : 1,
  rows: [],
  durationMs: 1,
});

test('without checks there is no line', () => {
  expect(verdictLines([])).toEqual([]);
});

test('checks of one text share a line, in the order in which the texts appear first', () => {
  const checks = [report('V1.1', true, 'b'), report('V1.2', true, 'a'), report('V1.3', true, 'b')];
  expect(verdictLines(checks)).toEqual([
    { text: 'b', passed: true, failed: [] },
    { text: 'a', passed: true, failed: [] },
  ]);
});

test('a line does not hold if one of its checks does not, and names the check', () => {
  const broken = report('V1.2', false, 'a');
  const checks = [report('V1.1', true, 'a'), broken, report('V1.3', true, 'b')];
  expect(verdictLines(checks)).toEqual([
    { text: 'a', passed: false, failed: [broken] },
    { text: 'b', passed: true, failed: [] },
  ]);
});

test('a check that stands for two lines breaks both', () => {
  const broken = report('V8.5', false, 'a', 'b');
  expect(verdictLines([broken])).toEqual([
    { text: 'a', passed: false, failed: [broken] },
    { text: 'b', passed: false, failed: [broken] },
  ]);
});
