// Whether docs/runbook.md is true: its commands are understood, its names exist, its SQL runs, its numbers are ours.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verbs } from '../../bin/cli/verbs.ts';
import { STRAIGHT } from '../../bin/draw/words.ts';
import { downgrade, upgrade } from '../../lambda/migrator/migrator.ts';
import { ENDINGS } from '../../lambda/migrator/model/errors.ts';
import { readRefusals } from '../../lambda/migrator/revisions/databases.ts';
import { connectorTo } from '../../lambda/migrator/session/connection.ts';
import { RUNNER_LOCK_KEY } from '../../lambda/migrator/session/runner-lock.ts';
import { INPUT_FIELDS, parseRequest } from '../../lambda/request.ts';
import { DRILLS } from '../../lambda/state.ts';
import { schema } from '../../lib/config-schema.ts';
import { MIGRATIONS } from '../../lib/paths.ts';
import { EXECUTION_LIMIT_HOURS } from '../../lib/timeouts.ts';
import { backstop, UNREACHABLE } from '../bin/cli/program.ts';
import { synthesizeTemplate } from '../lib/synthesized.ts';
import { deployed } from '../machine/twin.ts';
import { makeDatabase, migratorOn } from '../setup/database.ts';
import { blocksOf, brokenLinks, commandsOf, namesOf, readPage, tableOf } from './page.ts';

const PAGE = 'docs/runbook.md';
const page = readPage(PAGE);
const names = namesOf(page);
const commands = commandsOf(page);

interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly TimeoutSeconds?: number;
  readonly Seconds?: number;
  readonly Retry?: readonly { readonly ErrorEquals: readonly string[]; readonly MaxAttempts: number }[];
}
const { StartAt, States } = deployed.definition as unknown as {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
};

describe('its commands', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'backstop-test-runbook-'));
  afterAll(() => rmSync(scratch, { recursive: true }));
  const inText = [...page.prose.matchAll(/`(npx backstop [a-z][^`]*)`/g)].map(([, command = '']) => command);
  const lines = [...new Set([...commands.filter((line) => line.startsWith('npx backstop')), ...inText])];

  test.each(lines)('%s is understood', async (line) => {
    const args = line.split(' ').slice(2);
    const known = args.map((arg) => (arg.endsWith('.log') ? join(scratch, arg) : arg));
    const { status, err } = await backstop(known, { env: { DATABASE_URL: UNREACHABLE } });
    expect({ status, err }).not.toMatchObject({ status: 2 });
    expect(verbs.map(({ name }) => name)).toContain(args[0]);
  });

  test.each(commands.filter((line) => line.startsWith('npm start')))('%s is a drill', (line) => {
    expect(DRILLS).toContain(line.replace('npm start -- --drill ', ''));
  });

  test('have every drill', () => {
    for (const drill of DRILLS) expect(commands).toContain(`npm start -- --drill ${drill}`);
  });
});

describe('its inputs', () => {
  const deployment = {
    databases: ['codebase_mcp', 'socrates_auth'],
    defaultDatabase: 'codebase_mcp',
    allowDrills: true,
    finalizeAfterDays: 0,
    maxLockSeconds: 5,
    drift: 'warn' as const,
  };
  const started = commands.flatMap((line) => / --input '(.*)'/.exec(line)?.[1] ?? []);
  const inText = names.filter((name) => /^(\{"(action|database|drill)".*\}|"(plan|status)")$/.test(name));

  test.each([...new Set([...started, ...inText])])('%s is accepted', (input) => {
    expect(() => parseRequest(JSON.parse(input), deployment)).not.toThrow();
  });
});

describe('its names', () => {
  const endings = [...new Set([...Object.keys(ENDINGS), ...readRefusals(MIGRATIONS)])];
  const endedFromOutside = ['Succeeded', 'TimedOut', 'Aborted'];
  const asl = ['Fail', 'Condition'];
  const stacks = ['Backstop', 'BackstopDelivery', 'StateMachineArn'];
  const rds = ['DbClusterResourceId'];

  test('of endings and states exist', () => {
    const known = [...endings, ...Object.keys(States), ...endedFromOutside, ...asl, ...stacks, ...rds];
    const written = names.filter((name) => /^[A-Z][a-z]+([A-Z][a-z]+)*( [a-z]+)*\??$/.test(name));
    expect(written.filter((name) => !known.includes(name))).toEqual([]);
  });

  test.each(endings)('of endings have %s', (ending) => {
    expect(names).toContain(ending);
  });

  test('of settings and input fields exist', () => {
    const known = [...keysOf(schema), ...INPUT_FIELDS];
    const written = names.flatMap((name) => /^"?([a-z]+(?:[A-Z][a-z]+)+)"?(?:$|: )/.exec(name)?.[1] ?? []);
    expect(written.length).toBeGreaterThan(20);
    expect(written.filter((name) => !known.includes(name))).toEqual([]);
  });
});

/** All keys of a schema, those of the objects in it included. */
function keysOf(node: unknown): string[] {
  if (typeof node !== 'object' || node === null || !('def' in node)) return [];
  const { shape = {}, innerType, valueType, out } = node.def as Record<string, object | undefined>;
  const own = Object.entries(shape).flatMap(([key, value]) => [key, ...keysOf(value)]);
  return [...own, ...keysOf(innerType), ...keysOf(valueType), ...keysOf(out)];
}

describe('its numbers', () => {
  const rows = tableOf(page, 'state');

  test.each(rows)('of %s: %s, %s', (name = '', bound, tries) => {
    const { TimeoutSeconds, Seconds, Retry = [] } = States[name] ?? {};
    const again = Retry.find(({ ErrorEquals }) => ErrorEquals.includes('States.Timeout'))?.MaxAttempts ?? 0;
    expect([bound, tries]).toEqual([`${TimeoutSeconds ?? Seconds} s`, String(1 + again)]);
  });

  test('are of every state that takes time', () => {
    const takesTime = Object.entries(States).filter(([, { Type }]) => Type === 'Task' || Type === 'Wait');
    expect(rows.map(([name]) => name).sort()).toEqual(takesTime.map(([name]) => name).sort());
    expect(page.text).toContain(`After ${EXECUTION_LIMIT_HOURS} h the execution is ended`);
  });

  test('of the straight way are its states and its functions', () => {
    const way: string[] = [];
    for (let at: string | undefined = StartAt; at; at = STRAIGHT[at] ?? States[at]?.Next) way.push(at);
    const tasks = way.filter((name) => States[name]?.Type === 'Task');
    expect(way.at(-1)).toBe('Succeeded');
    expect(page.text).toContain(`| ${way.length} on the straight way`);
    expect(page.text).toContain(`| ${tasks.length} on the straight way`);
  });

  test('of resources that AWS charges for are in the template', () => {
    const template = synthesizeTemplate();
    const count = (type: string) => Object.keys(template.findResources(type)).length;
    expect(page.text).toContain(`| ${count('AWS::CloudWatch::Alarm')} alarms`);
    expect(page.text).toContain(`; ${count('AWS::CloudWatch::Dashboard')} dashboard`);
    const functions = [...deployed.functions.values()];
    expect([...new Set(functions.map(({ memoryMb }) => memoryMb / 1024))]).toEqual([0.5]);
    expect(page.text).toContain('0.5 GB × ');
  });

  test('of the runner lock are its key', () => {
    const [high, low] = [RUNNER_LOCK_KEY >> 32n, RUNNER_LOCK_KEY & 0xffffffffn];
    expect(page.text).toContain(`l.classid = ${high} AND l.objid = ${low}`);
  });
});

describe('its SQL', () => {
  const blocks = blocksOf(page, 'sql');
  const queries = blocks.filter((block) => block.startsWith('SELECT'));

  test('asks what a server answers', async () => {
    const database = await makeDatabase('at005');
    try {
      await upgrade(migratorOn(database), 'head');
      for (const query of queries) await database.query(query);
      expect(queries.length).toBe(4);
    } finally {
      await database.drop();
    }
  });

  test('grants the database user all that it needs, there and back, before and after finalize', async () => {
    const database = await makeDatabase('at005');
    const [user, password] = [`backstop_test_${randomBytes(5).toString('hex')}`, 'of this test only'];
    const { user: owner } = database.settings;
    const grants = (blocks.find((block) => block.startsWith('CREATE ROLE')) ?? '')
      .replaceAll(/\bbackstop\b/g, user)
      .replaceAll(/\bapp\b/g, owner)
      .replaceAll('codebase_mcp', database.name);
    try {
      await database.asAdministrator(`${grants} ALTER ROLE ${user} PASSWORD '${password}';`);
      const options = migratorOn({ connect: connectorTo({ ...database.settings, user, password }) });
      await upgrade(options, 'head');
      await downgrade(options, '005');
      await upgrade(options, 'head', { finalize: true });
      await downgrade(options, '005');
      const [count] = await database.query('SELECT count(*)::int AS tasks FROM tasks');
      expect(count).toEqual({ tasks: 0 });
    } finally {
      await database.asAdministrator(`DROP OWNED BY ${user} CASCADE; DROP ROLE ${user};`);
      await database.drop();
    }
  });
});

test('its statements for a key are JSON, each with its own name', () => {
  const [block = ''] = blocksOf(page, 'json');
  const statements: { Sid: string }[] = JSON.parse(block);
  expect(new Set(statements.map(({ Sid }) => Sid)).size).toBe(4);
});

test('each of its parts says what to do next', () => {
  const parts = page.prose.split(/^## /m).slice(1);
  const silent = parts.filter((part) => !part.includes('**Next:**')).map((part) => part.split('\n')[0]);
  expect(silent).toEqual([]);
});

test('its links lead somewhere', () => {
  expect(brokenLinks(page, PAGE)).toEqual([]);
});
