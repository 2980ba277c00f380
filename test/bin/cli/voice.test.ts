// The two voices of the command line, where the verbs' own tests do not reach, and where their words may be written.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { voiceOf } from '../../../bin/cli/voice.ts';
import type { RunReport, StepReport } from '../../../lambda/migrator/model/report.ts';
import type { Database } from '../../../lambda/migrator/revisions/databases.ts';
import { ROOT } from '../../../lib/paths.ts';
import { databaseOf } from '../../setup/revisions.ts';

const asIs = (text: string) => text;
const TERMINAL = { unicode: true, paint: { good: asIs, bad: asIs, warning: asIs, faint: asIs } };

const SHOP = databaseOf(
  { id: '001' },
  { id: '002', revises: '001', finalize: ['SELECT 1;'] },
  { id: '003', revises: '002', finalize: ['SELECT 1;'] },
);
const plain = voiceOf(SHOP, TERMINAL);
const alembicOf = (database: Database) =>
  voiceOf({ ...database, definition: { ...database.definition, voice: 'alembic' } }, TERMINAL);

const REPORT: RunReport = {
  runId: '0',
  direction: 'upgrade',
  outcome: 'upgraded',
  from: '001',
  to: '002',
  revisions: ['002'],
  steps: [],
  retired: [],
  restored: [],
  created: [],
  dropped: [],
  rows: [],
  exclusiveMs: {},
  walBytes: 0,
  attempts: 1,
  blockers: [],
  durationMs: 10,
};
const STEP: StepReport = {
  direction: 'upgrade',
  revision: '002',
  number: 1,
  of: 8,
  title: 'Adding a column',
  durationMs: 1234,
  notices: [],
  locks: [],
  rewritten: [],
  walBytes: 16,
};

describe('plain words count the changed tables', () => {
  test.each<[change: Partial<RunReport>, lines: string[]]>([
    [{}, []],
    [{ created: ['public.alembic_version'] }, []],
    [{ created: ['public.alembic_version', 'public.a'] }, ['1 table created']],
    [{ created: ['public.a', 'public.b'] }, ['2 tables created']],
    [{ retired: ['public.a'] }, ['1 table retired to retired_002; npx backstop finalize drops it']],
    [
      { retired: ['public.a'], created: ['retired_002.b'] },
      ['2 tables retired to retired_002; npx backstop finalize drops them'],
    ],
    [
      { retired: ['public.a', 'public.b'], revisions: ['001', '002', '003'] },
      ['2 tables retired to retired_002, retired_003; npx backstop finalize drops them'],
    ],
    [
      {
        direction: 'downgrade',
        outcome: 'downgraded',
        restored: ['public.a'],
        dropped: ['public.b', 'public.c'],
      },
      [
        '1 table restored with every row',
        '2 tables dropped',
        'The schema was not compared: the history has no fingerprint of 002 from before the upgrade.',
      ],
    ],
    [{ direction: 'finalize', outcome: 'finalized', dropped: ['retired_002.a'] }, ['1 table dropped']],
    [{ direction: 'stamp', outcome: 'stamped' }, []],
    [{ outcome: 'nothing to do' }, ['Already at 002, nothing to do']],
    [{ outcome: 'nothing to do', direction: 'finalize' }, ['Nothing is retired at 002, nothing to do']],
  ])('%j', (change, lines) => {
    expect(plain.outcome({ ...REPORT, ...change })).toEqual(lines);
  });

  test('and name the database if there are others', () => {
    const others = [{ definition: SHOP.definition, revisions: () => [] }];
    const voice = voiceOf({ ...SHOP, others }, TERMINAL);
    expect(voice.outcome({ ...REPORT, retired: ['public.a'] })).toEqual([
      '1 table retired to retired_002; npx backstop finalize --database test drops it',
    ]);
  });
});

test.each([
  [1, 0, '1 check passed in 0.05s'],
  [8, 0, '8 checks passed in 0.05s'],
  [6, 2, '2 of 8 checks failed in 0.05s'],
])('plain words for %i checks that passed and %i that failed: %s', (passed, failed, line) => {
  expect(plain.verdict({ phase: 'before-upgrade', passed, failed, durationMs: 50 })).toEqual([line]);
});

describe("Alembic's words", () => {
  const counted = alembicOf({
    ...SHOP,
    chain: {
      ...SHOP.chain,
      revisions: SHOP.chain.revisions.map((each) =>
        each.id === '002' ? { ...each, countedSteps: 10 } : each,
      ),
    },
  });

  test('count the steps of an upgrade as its revision says, and all others as they are', () => {
    expect(counted.event({ type: 'step started', ...STEP })).toEqual([
      'INFO  [migration.002] Step 1/10: Adding a column...',
    ]);
    expect(counted.loggedStep(STEP)).toEqual([
      'INFO  [migration.002] Step 1/10: 1.23s (Adding a column)',
      '  Write-ahead log 16 bytes',
    ]);
    expect(counted.event({ type: 'step started', ...STEP, direction: 'downgrade' })).toEqual([
      'INFO  [migration.002] Rollback Step 1/8: Adding a column...',
    ]);
    for (const revision of ['003', 'gone']) {
      expect(counted.event({ type: 'step completed', step: { ...STEP, revision } })).toEqual([
        `INFO  [migration.${revision}] Step 1/8: Complete`,
      ]);
    }
  });

  test.each([
    ['9 tables retired to retired_002', '9 tables dropped'],
    ['1 table retired to retired_a-b', '1 table dropped'],
    ['0 tables retired to retired_002', '0 tables dropped'],
    ['9 tables retired to retired_002 by hand', '9 tables retired to retired_002 by hand'],
    ['of 9 tables retired to retired_002', 'of 9 tables retired to retired_002'],
  ])('for the notice "%s" are "%s"', (message, line) => {
    const notice = { severity: 'NOTICE', message };
    expect(counted.event({ type: 'notice', revision: '002', notice })).toEqual([`NOTICE:  ${line}`]);
    expect(plain.event({ type: 'notice', revision: '002', notice })).toEqual([`    NOTICE: ${message}`]);
  });

  test("are pytest's for checks", () => {
    const verdict = { phase: 'before-upgrade', durationMs: 50 } as const;
    expect(counted.verdict({ ...verdict, passed: 1, failed: 0 })).toEqual([
      '✓ All pre-migration checks passed (1/1)',
      '1 passed in 0.05s',
    ]);
    expect(counted.verdict({ ...verdict, passed: 1, failed: 2 })).toEqual(['2 failed, 1 passed in 0.05s']);
  });
});

test('no other file of the command line or of the engine writes the words of Alembic and of the contract', () => {
  const written =
    /alembic\.runtime|PostgresqlImpl|transactional DDL|completed successfully|Running (upgrade|downgrade) |\(automatic\)|pre-migration|tables dropped/;
  const files = ['bin/cli', 'lambda/migrator/model', 'lambda/migrator/run'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true }).map((path) => `${folder}/${path}`),
  );
  const found = files.filter(
    (path) => path.endsWith('.ts') && written.test(readFileSync(join(ROOT, path), 'utf8')),
  );
  expect(found).toEqual(['bin/cli/voice/alembic.ts']);
});

test('the command line knows no database by name', () => {
  const names = /socrates|codebase_mcp|\bauth\b|\bspecs\b|authOnly|specsOnly/i;
  const files = readdirSync(join(ROOT, 'bin/cli'), { recursive: true }).map(String);
  const found = files.filter(
    (path) => path.endsWith('.ts') && names.test(readFileSync(join(ROOT, 'bin/cli', path), 'utf8')),
  );
  expect(found).toEqual([]);
});
