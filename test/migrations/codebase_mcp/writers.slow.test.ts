// No row of an application that writes throughout an upgrade, a downgrade and another upgrade is lost, of thousands.
import { blocksOf, readPage, tableOf } from '../../docs/page.ts';
import { makeDatabase } from '../../setup/database.ts';
import { countKept, expectedResults, resultsOf, writeThroughout } from './writers.ts';

const page = readPage('docs/runbook.md');
const statements = tableOf(page, 'statement');
const trigger = blocksOf(page, 'sql').find((block) => block.includes('CREATE TRIGGER')) ?? '';

test.each([
  ['without the trigger', ''],
  ['with the trigger', trigger],
])('5,000 committed rows are kept, and each statement ends as the runbook says, %s', async (_, given) => {
  const db = await makeDatabase('at005');
  try {
    await db.query(given);
    const names = statements.map(([name = '']) => name);
    const written = await writeThroughout(db, { names, transactions: 400, automatic: true });
    const ids = [...written.values()].flatMap((one) => one.ids);
    expect(ids.length).toBeGreaterThanOrEqual(5_000);
    expect(await countKept(db, ids)).toBe(ids.length);
    for (const [name = '', at005 = '', at002 = '', triggered = ''] of statements) {
      const expected = expectedResults(at005, given === '' ? at002 : triggered);
      expect({ name, ...resultsOf(written.get(name)?.outcomes ?? []) }).toEqual({ name, ...expected });
    }
  } finally {
    await db.drop();
  }
});
