// Secrets that are rotated before, between and after the Tasks: with one user whose password changes, and with two that alternate.
import { randomBytes } from 'node:crypto';
import { localDatabase } from '../../lib/twin/databases.ts';
import { expectEnding, makeTwin, type Run, type TestTwin } from './twin.ts';

const { secretArn } = localDatabase('codebase_mcp');

interface Login {
  readonly username: string;
  readonly password: string;
}

/** The Tasks that connect, in the order in which an execution comes to them. */
const GREEN = ['Preflight', 'Migrate', 'Validate', 'Finalize'];
const BACK = ['Preflight', 'Migrate', 'Validate', 'Downgrade', 'Validate downgrade'];
const DOWN = ['Preflight', 'Downgrade on request', 'Validate downgrade'];

const QUICK = { snapshot: false };
const STEP_BACK = { ...QUICK, drill: 'validation-failure' };

/** The role that owns the tables, and the second role, as a rotation of AWS makes it: a member of the first. */
async function makeAlternating({
  database,
}: TestTwin): Promise<{ logins: [Login, Login]; drop(): Promise<void> }> {
  const { user: username, password } = database.settings;
  const clone = { username: `clone_${database.name}`, password: randomBytes(9).toString('hex') };
  await database.asAdministrator(
    `CREATE ROLE ${clone.username} LOGIN PASSWORD '${clone.password}'; GRANT ${username} TO ${clone.username};`,
  );
  const drop = async () => {
    await database.asAdministrator(
      `REASSIGN OWNED BY ${clone.username} TO ${username}; DROP OWNED BY ${clone.username}; DROP ROLE ${clone.username};`,
    );
  };
  return { logins: [{ username, password }, clone], drop };
}

/** The secret says which login is current, whenever it is read. */
function secretSays(twin: TestTwin, current: () => Login): void {
  twin.endpoint.onRequest = ({ action }) => {
    if (action === 'GetSecretValue') twin.endpoint.secrets.set(secretArn, JSON.stringify(current()));
    return undefined;
  };
}

const tasksOf = ({ execution }: Run, tasks: readonly string[]) =>
  execution.states.map(({ name }) => name).filter((name) => tasks.includes(name));

function expectGreen(run: Run): void {
  const { status, error, cause } = run.execution;
  expect({ status, error, cause }).toEqual({ status: 'SUCCEEDED' });
}

describe('with two users that alternate', () => {
  /** The Task at which the secret is rotated, and the first user. */
  const switches = (tasks: readonly string[]) =>
    tasks.flatMap((task) =>
      [0, 1].map((first) => [task, first === 0 ? 'the owner' : 'the clone', first] as const),
    );

  /** Rotates once: the second user from this Task on. */
  async function withSwitchAt(
    task: string,
    first: 0 | 1,
    tasks: readonly string[],
    work: (twin: TestTwin) => Promise<void>,
  ) {
    await using twin = await makeTwin();
    const { logins, drop } = await makeAlternating(twin);
    const isAfter = () => tasks.indexOf(twin.state) >= tasks.indexOf(task);
    secretSays(twin, () => logins[isAfter() ? 1 - first : first] as Login);
    try {
      await work(twin);
    } finally {
      await drop();
    }
  }

  test.each(switches(GREEN))(
    'an upgrade whose secret changes at %s, first %s, ends green',
    async (task, _, first) => {
      await withSwitchAt(task, first as 0 | 1, GREEN, async (twin) => {
        const run = await twin.execute(QUICK);
        expectGreen(run);
        expect(tasksOf(run, GREEN)).toEqual(GREEN);
      });
    },
  );

  test.each(switches(BACK))(
    'a step back whose secret changes at %s, first %s, loses nothing',
    async (task, _, first) => {
      await withSwitchAt(task, first as 0 | 1, BACK, async (twin) => {
        const run = await twin.execute(STEP_BACK);
        expectEnding(
          run,
          'ValidationFailed',
          'The schema is as it was before the upgrade',
          'Nothing is lost',
        );
        expect(tasksOf(run, BACK)).toEqual(BACK);
      });
    },
  );

  test.each(switches(DOWN))(
    'a downgrade days later whose secret changes at %s, first %s, ends green',
    async (task, _, first) => {
      await withSwitchAt(task, first as 0 | 1, DOWN, async (twin) => {
        const up = await twin.execute({ ...QUICK, finalize: false });
        expectGreen(up);
        const down = await twin.execute({ ...QUICK, action: 'downgrade', target: '005' });
        expectGreen(down);
        expect(down.after).toEqual(up.before);
      });
    },
  );

  test.each([0, 1] as const)(
    'a finalize days later, and a downgrade after it, are done by the other user (%s)',
    async (first) => {
      await using twin = await makeTwin();
      const { logins, drop } = await makeAlternating(twin);
      let current = first as number;
      secretSays(twin, () => logins[current] as Login);
      for (const input of [
        { ...QUICK, finalize: false },
        { action: 'finalize' },
        { ...QUICK, action: 'downgrade', target: '005' },
        QUICK,
      ]) {
        expectGreen(await twin.execute(input));
        current = 1 - current;
      }
      await drop();
    },
  );
});

describe('with one user', () => {
  test.each([
    ['an upgrade', QUICK, GREEN],
    ['a step back', STEP_BACK, BACK],
  ])('%s goes on, whose password is another in each Task', async (_, input, tasks) => {
    await using twin = await makeTwin();
    const { database } = twin;
    const username = `runner_${database.name}`;
    await database.asAdministrator(
      `CREATE ROLE ${username} LOGIN; GRANT ${database.settings.user} TO ${username};`,
    );
    let rotatedIn = '';
    let password = randomBytes(9).toString('hex');
    const rotated: string[] = [];
    twin.endpoint.onRequest = async ({ action }) => {
      if (action !== 'GetSecretValue' || twin.state === rotatedIn) return undefined;
      rotatedIn = twin.state;
      rotated.push(rotatedIn);
      // The function reads the old password once more, and the server has the new one already.
      const before = JSON.stringify({ username, password });
      password = randomBytes(9).toString('hex');
      await database.asAdministrator(`ALTER ROLE ${username} PASSWORD '${password}'`);
      twin.endpoint.secrets.set(secretArn, before);
      setTimeout(() => twin.endpoint.secrets.set(secretArn, JSON.stringify({ username, password })), 100);
      return undefined;
    };
    const run = await twin.execute(input);
    if (input === QUICK) expectGreen(run);
    else expectEnding(run, 'ValidationFailed', 'Nothing is lost');
    expect(rotated).toEqual(tasks);
    await database.asAdministrator(
      `REASSIGN OWNED BY ${username} TO ${database.settings.user}; DROP OWNED BY ${username}; DROP ROLE ${username};`,
    );
  });
});
