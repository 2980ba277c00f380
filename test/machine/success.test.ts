// Executions that succeed: the database is at the requested revision, and the remaining rows are unchanged.
import type { StoredSnapshot } from '../../lib/twin/aws/endpoint.ts';
import type { LocalSnapshot } from '../../lib/twin/server.ts';
import { type Look, lookInto, makeTwin, type Run } from './twin.ts';

const CORE = ['code_chunks', 'code_files', 'embeddings', 'repositories'];

function rowsOf({ rows }: Look, tables: readonly string[]): Record<string, number | undefined> {
  return Object.fromEntries(tables.map((table) => [table, rows[table]]));
}

/** Names of the Tasks that were entered, in order. */
function tasks({ execution }: Run): string[] {
  return execution.states.filter(({ type }) => type === 'Task').map(({ name }) => name);
}

/** Fails with the reason if an execution did not succeed. */
function expectGreen({ execution: { status, error, cause } }: Run): void {
  expect({ status, error, cause }).toEqual({ status: 'SUCCEEDED' });
}

describe('an upgrade', () => {
  test('of {} goes through every state and leaves the core tables alone', async () => {
    await using twin = await makeTwin();
    const run = await twin.execute({});
    expectGreen(run);
    const { states, name } = run.execution;
    // How often it waits for the snapshot depends on the machine.
    const entered = states.map((state) => state.name).filter((state, at, all) => all.indexOf(state) === at);
    expect(entered.filter((state) => state !== 'Wait for snapshot')).toEqual([
      'Receive input',
      'Resolve input',
      'Preflight',
      'What is to do?',
      'Take snapshot',
      'Snapshot available?',
      'Which way?',
      'Migrate',
      'Validate',
      'Valid?',
      'Finalize?',
      'Finalize',
      'Summarize',
      'Succeeded',
    ]);
    expect(run.after.revision).toBe('002');
    expect(run.after.rows).toEqual(rowsOf(run.before, CORE));
    expect(run.execution.state.finalization?.dropped).toHaveLength(9);
    const logged = run.events.flatMap((event) => (event.type === 'log' ? [event.line] : []));
    expect(logged).toEqual(
      logged.map(() => expect.objectContaining({ execution: name, database: 'codebase_mcp' })),
    );
  });

  test('takes a snapshot that restores the whole database', async () => {
    await using twin = await makeTwin();
    const { execution, before } = await twin.execute({ finalize: false });
    const [snapshot] = [...twin.endpoint.snapshots.values()] as [StoredSnapshot];
    expect(snapshot).toMatchObject({ identifier: execution.state.snapshot?.id, status: 'available' });
    const restored = await (snapshot.backup as LocalSnapshot).restore();
    const brought = await lookInto(restored.database);
    await restored.stop();
    expect(brought).toEqual(before);
  });

  test('without snapshot takes none, and says so', async () => {
    await using twin = await makeTwin();
    const run = await twin.execute({ snapshot: false });
    expectGreen(run);
    expect(twin.endpoint.snapshots.size).toBe(0);
    expect(run.execution.state.snapshot).toMatchObject({ id: 'none', status: 'skipped' });
  });

  test('with nothing pending takes no snapshot, and checks what is there', async () => {
    await using twin = await makeTwin({ at: '002' });
    const run = await twin.execute({ finalize: false });
    expectGreen(run);
    expect(tasks(run)).toEqual(['Resolve input', 'Preflight', 'Validate', 'Summarize']);
    expect(twin.endpoint.snapshots.size).toBe(0);
    expect(run.after).toEqual(run.before);
  });

  test('without finalize retires the tables with every row, until an execution finalizes', async () => {
    await using twin = await makeTwin();
    const upgraded = await twin.execute({ snapshot: false, finalize: false });
    expectGreen(upgraded);
    expect(upgraded.execution.state.migration?.retired).toHaveLength(9);
    expect(upgraded.after.rows).toEqual(upgraded.before.rows);
    const finalized = await twin.execute({ action: 'finalize' });
    expectGreen(finalized);
    expect(tasks(finalized)).toEqual(['Resolve input', 'Preflight', 'Validate', 'Finalize', 'Summarize']);
    expect(finalized.after.rows).toEqual(rowsOf(upgraded.before, CORE));
  });

  test('from nothing goes to a target short of the head', async () => {
    await using twin = await makeTwin({ at: 'empty' });
    const run = await twin.execute({ target: '003a', snapshot: false });
    expectGreen(run);
    expect(run.after.revision).toBe('003a');
  });
});

describe('a plan', () => {
  test('tells what would run, what would be retired and what it costs, and changes nothing', async () => {
    await using twin = await makeTwin();
    const run = await twin.execute('plan');
    expectGreen(run);
    expect(tasks(run)).toEqual(['Resolve input', 'Preflight', 'Summarize']);
    const { summary } = run.execution.state as { summary?: { message: string } };
    expect(summary).toMatchObject({ ending: 'Succeeded', revisionBefore: '005', revisionAfter: '005' });
    expect(summary?.message).toMatch(/^At 005, target 002: 002 to run\.\nTo be retired: .*public\.tasks/);
    expect(summary?.message).toMatch(
      /\nEstimated: \d+\.\d\ds in all\.\npublic\.\w+ locked for \d+\.\d\ds\.$/,
    );
    expect(run.after).toEqual(run.before);
  });
});

describe('the output of an execution', () => {
  test('begins with a summary of itself', async () => {
    await using twin = await makeTwin();
    const { execution } = await twin.execute({});
    const [[first, summary] = []] = Object.entries(execution.state);
    expect(first).toBe('summary');
    expect(summary).toEqual({
      ending: 'Succeeded',
      message: '005 -> 002 in one transaction.\n15 of 15 checks hold.\nFinalized: 9 retired tables dropped.',
      action: 'upgrade',
      database: 'codebase_mcp',
      revisionBefore: '005',
      revisionAfter: '002',
      snapshot: execution.state.snapshot?.id,
      finalizePending: [],
      finalizeAt: null,
    });
  });
});

describe('a downgrade', () => {
  test('brings the retired tables back with every row', async () => {
    await using twin = await makeTwin();
    const up = await twin.execute({ snapshot: false, finalize: false });
    const down = await twin.execute({ action: 'downgrade', target: '-1', snapshot: false });
    expectGreen(down);
    expect(tasks(down)).toEqual([
      'Resolve input',
      'Preflight',
      'Downgrade on request',
      'Validate downgrade',
      'Summarize',
    ]);
    expect(down.after).toEqual(up.before);
  });

  test('with nothing to do is green', async () => {
    await using twin = await makeTwin();
    const run = await twin.execute({ action: 'downgrade', target: '005' });
    expectGreen(run);
    expect(tasks(run)).toEqual(['Resolve input', 'Preflight', 'Validate downgrade', 'Summarize']);
    expect(run.after).toEqual(run.before);
  });
});

describe('an answer of Migrate that is lost', () => {
  test('is found out, and the execution goes on', async () => {
    await using twin = await makeTwin();
    const run = await twin.execute({ drill: 'migrate-lost', snapshot: false, finalize: false });
    expectGreen(run);
    expect(tasks(run).slice(-4)).toEqual(['Migrate', 'Reconcile', 'Validate', 'Summarize']);
    expect(run.execution.state.reconciliation).toMatchObject({
      revision: '002',
      verdict: 'committed',
      migration: { outcome: 'upgraded', from: '005', to: '002', revisions: ['002'] },
    });
    expect(run.after.rows).toEqual(run.before.rows);
  });
});
