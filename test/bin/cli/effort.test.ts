// The cost of a run in full: every locked table, every rewritten table, and the sessions that blocked the run.
import { describeEffort, describeStepEffort } from '../../../bin/cli/effort.ts';
import type { RunReport, StepReport } from '../../../lambda/migrator/model/report.ts';

const STEP: StepReport = {
  direction: 'upgrade',
  revision: '001',
  number: 1,
  of: 3,
  title: 'Step 1',
  durationMs: 1,
  notices: [],
  locks: [
    { relation: 'public.one', mode: 'AccessExclusiveLock' },
    { relation: 'public.two', mode: 'ShareLock' },
  ],
  rewritten: ['public.one'],
  walBytes: 4096,
};
const REPORT: RunReport = {
  runId: '0',
  direction: 'upgrade',
  outcome: 'upgraded',
  from: 'base',
  to: '001',
  revisions: ['001'],
  steps: [STEP],
  retired: [],
  restored: [],
  created: [],
  dropped: [],
  rows: [],
  exclusiveMs: { 'public.two': 2.4, 'public.one': 7.6, 'public.four': 2.4 },
  walBytes: 8192,
  attempts: 2,
  blockers: [
    {
      pid: 42,
      user: 'alice',
      application: 'psql',
      state: 'active',
      since: '2026-01-02T03:04:05Z',
      relation: 'public.orders',
      command: 'UPDATE',
    },
  ],
  durationMs: 10,
};

test('a run lists its locks, the longest first, then what it wrote, its attempts, and who blocked it', () => {
  expect(describeEffort(REPORT)).toEqual([
    'ACCESS EXCLUSIVE on public.one for 8 ms',
    'ACCESS EXCLUSIVE on public.four for 2 ms',
    'ACCESS EXCLUSIVE on public.two for 2 ms',
    'Write-ahead log 8192 bytes; rewritten: public.one',
    'Took 2 attempts until all locks were granted',
    'Blocked by pid 42 (alice, psql, active) since 2026-01-02T03:04:05Z: UPDATE, holds public.orders',
  ]);
});

test('tables beyond the limit are counted', () => {
  expect(describeEffort(REPORT, 1).slice(0, 2)).toEqual([
    'ACCESS EXCLUSIVE on public.one for 8 ms',
    'and on 2 more tables for at most 2 ms',
  ]);
});

test('a run without blockers has no line about them', () => {
  expect(describeEffort({ ...REPORT, steps: [], exclusiveMs: {}, attempts: 1, blockers: [] })).toEqual([
    'Write-ahead log 8192 bytes; rewritten: nothing',
  ]);
});

test('a step lists what it wrote, locked and rewrote', () => {
  expect(describeStepEffort(STEP)).toBe(
    'Write-ahead log 4096 bytes; new locks: AccessExclusiveLock on public.one, ShareLock on public.two; rewritten: public.one',
  );
  expect(describeStepEffort({ ...STEP, locks: [], rewritten: [] })).toBe('Write-ahead log 4096 bytes');
});
