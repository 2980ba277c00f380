// Fifty runners at once on one database: one migrates, and the others report it.
import { DEFAULT_BOUNDS } from '../../lambda/migrator/model/bounds.ts';
import { type CaseDatabase, discard, discardAll, learn, take } from './databases.ts';
import { runEngine, runProcess, type Told } from './runners.ts';
import { readFingerprint } from './states.ts';
import { VERBS } from './verbs.ts';
import { expectNothingLeft, isCommitted, readOutcomes } from './verify.ts';

afterAll(discardAll);

const RUNNERS = 50;
/** The number of them that run in separate processes. */
const PROCESSES = 4;

async function crowd({ settings }: CaseDatabase, lockWaitS: number): Promise<string[]> {
  const { upgrade } = VERBS;
  const bounds = { ...DEFAULT_BOUNDS, lockWaitMs: lockWaitS * 1000 };
  const commandLine = { ...upgrade, args: [...upgrade.args, '--lock-wait', `${lockWaitS}`] };
  const runners = Array.from({ length: RUNNERS }, (_, index) =>
    index < PROCESSES ? runProcess(commandLine, settings) : runEngine(upgrade, settings, bounds),
  );
  return (await Promise.all(runners.map(({ told }) => told))).map(nameOf).sort();
}

function nameOf(told: Told): string {
  if (typeof told === 'string') return told;
  if ('outcome' in told) return told.outcome;
  return 'error' in told ? told.error : told.stranger;
}

test.each([
  ['that wait find nothing to do', 120, ['nothing to do']],
  [
    'that do not wait report the holder of the lock, or find nothing to do',
    0,
    ['DatabaseBusy', 'nothing to do'],
  ],
])('runners %s, and one has migrated', async (_title, lockWaitS, others) => {
  const script = await learn('upgrade');
  const database = await take('upgrade');
  const endings = await crowd(database, lockWaitS);
  expect(endings.filter((ending) => ending === 'upgraded')).toHaveLength(1);
  expect(others).toEqual(
    expect.arrayContaining([...new Set(endings)].filter((ending) => ending !== 'upgraded')),
  );
  await expectNothingLeft(database);
  expect(isCommitted(await readFingerprint(database.reader), script)).toBe(true);
  expect(await readOutcomes(database.reader)).toEqual(['upgraded']);
  await discard(database);
});
