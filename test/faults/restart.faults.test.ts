// A server that crashes in the middle of a run and is started again: at every step of an upgrade, and around COMMIT.
import type { FaultCase } from './cases.ts';
import { observe } from './databases.ts';
import type { Meeting } from './network.ts';
import { startOwnServer } from './own-server.ts';
import { disturb, MISSED } from './run-case.ts';
import { verify } from './verify.ts';

const server = await startOwnServer();
afterAll(() => server[Symbol.asyncDispose]());

const script = await observe('upgrade', await server.database());
const commit = script.statements.indexOf('COMMIT');
const steps = script.statements.flatMap((text, at) =>
  /DO \$do\$|ALTER TABLE|LOCK TABLE/.test(text) ? [at] : [],
);
const cases: [at: number, meeting: Meeting][] = [
  ...steps.map((at): [number, Meeting] => [at, 'carried out']),
  [commit, 'before'],
  [commit, 'begun'],
  [commit, 'carried out'],
  [commit, 'unanswered'],
  [commit, 'after'],
];

test.each(cases)('restarted at statement %i, %s: the report is true', async (at, meeting) => {
  const fault: FaultCase = { verb: 'upgrade', at, meeting, fault: 'restart', inProcess: false };
  const database = await server.database();
  let restarted: Promise<void> | undefined;
  const restart = () => {
    restarted = server.restart();
    return restarted;
  };
  const told = await disturb(fault, script, database, 0, async (words) => words, restart);
  if (told === MISSED) throw new Error(`the run did not come to statement ${at}`);
  await restarted;
  const after = await server.again(database);
  await verify(fault, told, script, after);
  await server.leave(after);
});
