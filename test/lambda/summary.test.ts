// The summary of an execution: its text for every kind of ending, even with little input.
import { ENDINGS, type EndingName } from '../../lambda/migrator/model/errors.ts';
import { promiseOf } from '../../lambda/promises.ts';
import { type ExecutionState, NO_SNAPSHOT } from '../../lambda/state.ts';
import { outputOf, summarize } from '../../lambda/summary.ts';

/** A document in which only the sections that the summary reads are realistic. */
const documentWith = (sections: object) => sections as Partial<ExecutionState>;

const request = { action: 'upgrade', database: 'codebase_mcp' };
const plan = { from: '005', to: '002', pending: ['002'], finalizePending: [], retires: [] };
const snapshot = { id: 'backstop-1', arn: 'arn:aws:rds:…' };
const migration = { outcome: 'upgraded', from: '005', to: '002', retired: ['public.tasks'] };
const validation = { checks: [{ passed: true }], finalizePending: ['002'] };
const done = { request, plan, snapshot, migration, validation };

describe('of a success', () => {
  test('says what is still to be finalized, and how', () => {
    expect(summarize(documentWith(done))).toMatchObject({
      message: expect.stringContaining('start an execution with {"action": "finalize"}'),
      finalizePending: ['002'],
      finalizeAt: null,
    });
  });

  test('says until when one can go back without losing a row', () => {
    const at = '2026-01-01T00:00:00.000Z';
    const summary = summarize(documentWith({ ...done, scheduledFinalize: { at } }));
    expect(summary.finalizeAt).toBe(at);
    expect(summary.message).toContain(`dropped at ${at}; until then a downgrade loses no row`);
  });

  test('has nothing left to finalize when that is done', () => {
    const finalization = { dropped: ['retired_002.tasks'] };
    expect(summarize(documentWith({ ...done, finalization }))).toMatchObject({ finalizePending: [] });
  });

  test('of a downgrade says where the database is now', () => {
    const downgrade = { from: '002', to: '005', revisions: ['002'] };
    const sections = {
      request: { ...request, action: 'downgrade' },
      plan: { ...plan, from: '002' },
      downgrade,
    };
    expect(summarize(documentWith(sections))).toMatchObject({ revisionBefore: '002', revisionAfter: '005' });
  });

  test('names no snapshot if the execution took no snapshot', () => {
    const named = (section: object) => summarize(documentWith({ ...done, snapshot: section })).snapshot;
    expect(named(NO_SNAPSHOT)).toBeNull();
    expect(named({ ...snapshot, arn: '', status: 'waiting' })).toBeNull();
    // Also if it is called as the section that stands for none.
    expect(named({ ...snapshot, id: NO_SNAPSHOT.id, status: 'available' })).toBe('none');
  });
});

describe('of a failure', () => {
  const after = { unchanged: '005', downgraded: '005', 'at target': '002', 'needs a person': null };

  test.each(Object.keys(ENDINGS) as EndingName[])(
    '%s says of the revision what the ending promises',
    (ending) => {
      const summary = summarize(documentWith(done), {
        ending,
        database: ENDINGS[ending].database,
        cause: 'because',
      });
      expect(summary).toMatchObject({
        ending,
        message: 'because',
        revisionBefore: '005',
        snapshot: 'backstop-1',
      });
      expect(summary.revisionAfter).toBe(after[ENDINGS[ending].database]);
    },
  );

  test('of a revision that refused by its own ending says that nothing was changed', () => {
    const failure = {
      ending: 'OrphanedOrders',
      database: promiseOf('OrphanedOrders', ['OrphanedOrders']).database,
    };
    expect(summarize(documentWith(done), { ...failure, cause: '' }).revisionAfter).toBe('005');
  });

  test.each(['TimedOut', 'Aborted', 'OrphanedOrders'])(
    '%s promises nothing, if no revision declares it',
    (ending) => {
      const { database } = promiseOf(ending, []);
      expect(summarize(documentWith(done), { ending, database, cause: '' }).revisionAfter).toBeNull();
    },
  );

  test('before anything is known says that much', () => {
    expect(summarize({}, { ending: 'InvalidInput', database: 'unchanged', cause: 'wrong' })).toEqual({
      ending: 'InvalidInput',
      message: 'wrong',
      action: null,
      database: null,
      revisionBefore: null,
      revisionAfter: null,
      snapshot: null,
      finalizePending: [],
      finalizeAt: null,
    });
  });
});

describe('of a plan', () => {
  const planned = (found: object) => {
    const sections = { request: { ...request, action: 'plan' }, plan: { ...plan, ...found } };
    return summarize(documentWith(sections)).message.split('\n');
  };

  test('says what has changed since the last run', () => {
    const drift = { changes: [{ object: 'index public.i', change: 'added' }] };
    expect(planned({ drift })).toEqual([
      'At 005, target 002: 002 to run.',
      'The schema has changed since the last run: index public.i added.',
    ]);
  });

  test('says what would be lost for good', () => {
    const losses = [{ relation: 'public.orders', how: 'dropped', count: 5 }];
    expect(planned({ losses })).toEqual([
      'At 005, target 002: 002 to run.',
      'It takes away for good: public.orders: dropped with 5 rows.',
    ]);
  });
});

describe('an output', () => {
  const execution = { arn: 'arn:run-1' };

  test('has its summary first, and everything behind it', () => {
    const state = documentWith({ ...done, execution }) as ExecutionState;
    expect(Object.keys(outputOf(state))).toEqual(['summary', ...Object.keys(state)]);
  });

  test('that would be too large for the console says where the rest is', () => {
    const steps = Array.from({ length: 1000 }, (_, number) => ({ title: 'x'.repeat(100), number }));
    const state = documentWith({ ...done, execution, migration: { ...migration, steps } }) as ExecutionState;
    const output = outputOf(state);
    expect(Buffer.byteLength(JSON.stringify(output))).toBeLessThan(64 * 1024);
    expect(output).toMatchObject({ details: { history: expect.stringContaining("'arn:run-1'") }, snapshot });
    expect(output).not.toHaveProperty('migration');
  });
});
