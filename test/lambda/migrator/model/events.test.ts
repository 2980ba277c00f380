// Every event as the line that the functions log: plain words, with singular and plural right.
import { describeEvent } from '../../../../lambda/migrator/model/describe.ts';
import type { ProgressEvent } from '../../../../lambda/migrator/model/events.ts';
import type { CheckReport, StepReport } from '../../../../lambda/migrator/model/report.ts';

const MOVE = { direction: 'upgrade', revision: '002', from: '001', to: '002' } as const;
const BACK = { direction: 'downgrade', revision: '002', from: '002', to: '001' } as const;
const STEP: StepReport = {
  direction: 'upgrade',
  revision: '002',
  number: 2,
  of: 8,
  title: 'Adding a column',
  durationMs: 1234,
  notices: [],
  locks: [],
  rewritten: [],
  walBytes: 0,
};
const CHECK: CheckReport = {
  revision: '002',
  id: 'V1.1',
  title: 'the column exists',
  shownAs: [],
  passed: true,
  violations: 0,
  rows: [],
  durationMs: 1,
};
const TABLE = { rows: 1, bytes: 1, scanMs: 1, lockMs: 5 };
const estimate = (...relations: string[]) => ({
  durationMs: 60,
  lockMs: 50,
  tables: relations.map((relation) => ({ relation, ...TABLE })),
});
const ALICE = {
  pid: 42,
  user: 'alice',
  application: 'psql',
  state: 'active',
  since: '2026-01-02T03:04:05Z',
  relation: 'public.orders',
  command: 'UPDATE',
};

test.each<[line: string, event: ProgressEvent]>([
  [
    'Connected to shop as alice, PostgreSQL 18.0',
    { type: 'connected', server: '18.0', database: 'shop', user: 'alice' },
  ],
  [
    'At 001, target 003: 002, 003 to run',
    { type: 'planned', from: '001', to: '003', pending: ['002', '003'] },
  ],
  [
    'At 003, target 001: 003, 002 to take back',
    { type: 'planned', from: '003', to: '001', pending: ['003', '002'] },
  ],
  ['Already at 003, nothing to do', { type: 'planned', from: '003', to: '003', pending: [] }],
  ['At 003, target 001: no revision to run', { type: 'planned', from: '003', to: '001', pending: [] }],
  ['Estimated: 0.06s in all, no existing table locked', { type: 'estimated', estimate: estimate() }],
  [
    'Estimated: 0.06s in all, public.a locked for 0.05s',
    { type: 'estimated', estimate: estimate('public.a') },
  ],
  [
    'Estimated: 0.06s in all, public.a and 1 more table locked for 0.05s',
    { type: 'estimated', estimate: estimate('public.a', 'public.b') },
  ],
  [
    'Estimated: 0.06s in all, public.a and 2 more tables locked for 0.05s',
    { type: 'estimated', estimate: estimate('public.a', 'public.b', 'public.c') },
  ],
  [
    'public.a would be locked for about 0.05s, longer than the limit of 0.04s',
    { type: 'exceeding', estimate: estimate('public.a'), maxLockMs: 40 },
  ],
  [
    'The run would take about 0.06s, longer than the limit of 0.05s for a lock',
    { type: 'exceeding', estimate: estimate('public.a'), maxLockMs: 50 },
  ],
  [
    'Revision 002 was edited after it was applied: its upgrade.sql has changed',
    { type: 'edited', revision: '002' },
  ],
  [
    'The header of 002 names public.a, public.b, public.c and 2 more, but there is no such table',
    { type: 'unknown table', revision: '002', tables: ['public.a', 'public.b', 'public.c', 'd', 'e'] },
  ],
  [
    'The run locked public.a in ShareLock, which its statements do not show: name it in "Locks:"',
    { type: 'unforeseen', locks: [{ relation: 'public.a', mode: 'ShareLock' }] },
  ],
  [
    'Waiting 1.00s for the table lock, held by pid 42 (alice, psql, active) since 2026-01-02T03:04:05Z: UPDATE, holds public.orders',
    { type: 'waiting', lock: 'table', waitedMs: 1000, blockers: [ALICE] },
  ],
  [
    'Waiting 1.00s for the advisory lock, held by a session that has ended since',
    { type: 'waiting', lock: 'advisory', waitedMs: 1000, blockers: [] },
  ],
  [
    'Attempt 1 rolled back (a lock timed out), next attempt in 200 ms',
    { type: 'retrying', attempt: 1, pauseMs: 200, reason: 'a lock timed out' },
  ],
  ['Upgrade 001 -> 002: Add orders', { type: 'revision started', ...MOVE, title: 'Add orders' }],
  ['Downgrade 002 -> 001: Add orders', { type: 'revision started', ...BACK, title: 'Rollback: Add orders' }],
  [
    'Finalize 002: Add orders',
    { type: 'revision started', ...MOVE, direction: 'finalize', title: 'Finalize: Add orders' },
  ],
  ['Stamp 001 -> 002', { type: 'revision started', ...MOVE, direction: 'stamp', title: 'Stamp' }],
  ['Step 2/8: Adding a column', { type: 'step started', ...STEP }],
  ['Downgrade step 2/8: Adding a column', { type: 'step started', ...STEP, direction: 'downgrade' }],
  ['Finalize step 2/8: Adding a column', { type: 'step started', ...STEP, direction: 'finalize' }],
  [
    'WARNING: 3 rows are empty',
    { type: 'notice', revision: '002', notice: { severity: 'WARNING', message: '3 rows are empty' } },
  ],
  ['Step 2/8 done in 1.23s', { type: 'step completed', step: STEP }],
  [
    'Step 2/8 done in 1.23s: All rows copied',
    {
      type: 'step completed',
      step: {
        ...STEP,
        notices: [
          { severity: 'NOTICE', message: 'printed while it ran' },
          { severity: 'INFO', message: 'All rows copied' },
        ],
      },
    },
  ],
  ['Upgrade 001 -> 002 completed in 0.05s', { type: 'revision completed', ...MOVE, durationMs: 50 }],
  ['✓ V1.1 the column exists', { type: 'check completed', check: CHECK }],
  [
    '✗ V1.1 the column exists (1 row violates it)',
    { type: 'check completed', check: { ...CHECK, passed: false, violations: 1 } },
  ],
  [
    '✗ V1.1 the column exists (2 rows violate it)',
    { type: 'check completed', check: { ...CHECK, passed: false, violations: 2 } },
  ],
  ['Upgraded 001 -> 002 in 0.05s', { type: 'committed', ...MOVE, outcome: 'upgraded', durationMs: 50 }],
  ['Downgraded 002 -> 001 in 0.05s', { type: 'committed', ...BACK, outcome: 'downgraded', durationMs: 50 }],
  [
    'Finalized 002 in 0.05s',
    {
      type: 'committed',
      direction: 'finalize',
      from: '002',
      to: '002',
      outcome: 'finalized',
      durationMs: 50,
    },
  ],
  [
    'Dry run: upgrade 001 -> 002 succeeds in 0.05s; rolled back, nothing was changed',
    { type: 'committed', ...MOVE, outcome: 'rehearsed', durationMs: 50 },
  ],
  [
    'Rolled back, still at 001: division by zero',
    { type: 'rolled back', ...MOVE, reason: 'division by zero' },
  ],
])('%s', (line, event) => {
  expect(describeEvent(event)).toBe(line);
});
