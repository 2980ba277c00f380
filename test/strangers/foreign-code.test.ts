// Code of others does not run as us: no statement, of the engine or of a revision, calls an object that somebody put in public.

import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  current,
  inspect,
  log,
  plan,
  readPlace,
  reconcile,
  validate,
} from '../../lambda/migrator/inspect.ts';
import { lossOfDowngrade, lossOfFinalize } from '../../lambda/migrator/loss.ts';
import { downgrade, finalize, stamp, upgrade } from '../../lambda/migrator/migrator.ts';
import { offlineSql } from '../../lambda/migrator/offline.ts';
import { type Database, readDatabase } from '../../lambda/migrator/revisions/databases.ts';
import { type Connect, connectorTo } from '../../lambda/migrator/session/connection.ts';
import type { MigratorOptions } from '../../lambda/migrator/session/session.ts';
import { MIGRATIONS } from '../../lib/paths.ts';
import { codebaseMcp, makeDatabase, migratorOn, type TestDatabase, testServer } from '../setup/database.ts';
import { reader } from '../setup/revisions.ts';
import { hasSprung, setTraps, wordsIn } from './traps.ts';

let stranger: string;
const databases: TestDatabase[] = [];
async function make(from: 'at005' | 'empty'): Promise<TestDatabase> {
  const database = await makeDatabase(from);
  databases.push(database);
  return database;
}
beforeEach(() => {
  stranger = `stranger_${randomBytes(5).toString('hex')}`;
});
afterEach(async () => {
  for (const database of databases.splice(0)) await database.drop();
});

/** Connects as the superuser, whom a stranger would most like to be, and keeps what is sent. */
function asSuperuser(database: TestDatabase, sent: Set<string> = new Set()): Connect {
  const connect = connectorTo({ ...database.settings, user: testServer.user, password: testServer.password });
  return async (name) => {
    const client = await connect(name);
    const query = client.query.bind(client) as (...asked: unknown[]) => Promise<unknown>;
    return Object.assign(client, {
      query: (...asked: unknown[]) => {
        if (typeof asked[0] === 'string') sent.add(asked[0]);
        return query(...asked);
      },
    });
  };
}

const EVERY_VERB: readonly ((options: MigratorOptions) => Promise<unknown>)[] = [
  current,
  inspect,
  (options) => plan(options, 'upgrade', 'head'),
  (options) => validate(options, 'before-upgrade'),
  (options) => upgrade(options, 'head', { dryRun: true }),
  (options) => upgrade(options, 'head'),
  (options) => upgrade(options, 'head'),
  (options) => validate(options, 'after-upgrade'),
  (options) => validate(options, 'before-downgrade'),
  (options) => lossOfDowngrade(options, '-1'),
  (options) => lossOfFinalize(options),
  (options) => downgrade(options, '-1', { dryRun: true }),
  (options) => downgrade(options, '-1'),
  (options) => validate(options, 'after-downgrade'),
  (options) => stamp(options, 'head'),
  (options) => stamp(options, '-1'),
  (options) => upgrade(options, 'head', { finalize: true }),
  (options) => finalize(options),
  (options) => downgrade(options, '-1'),
  (options) => log(options, 50),
  reconcile,
  readPlace,
];

/** All that may be called by mistake: in what the engine sends, and in the files of the revisions. */
async function wordsOf(database: Database, from: 'at005' | 'empty'): Promise<Set<string>> {
  const sent = new Set<string>();
  const quiet = await make(from);
  const options = migratorOn(quiet, { connect: asSuperuser(quiet, sent), database, execution: 'arn:1' });
  for (const verb of EVERY_VERB) await verb(options);
  const folder = join(MIGRATIONS, database.definition.folder);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.sql'),
  );
  const words = new Set<string>();
  for (const sql of [...sent, ...files.map((name) => readFileSync(join(folder, name), 'utf8'))]) {
    for (const word of await wordsIn(sql)) words.add(word);
  }
  return words;
}

describe.each([
  ['codebase_mcp', 'at005'],
  ['socrates_auth', 'empty'],
  ['socrates_specs', 'empty'],
] as const)('%s', (name, from) => {
  const database = name === 'codebase_mcp' ? codebaseMcp : readDatabase(MIGRATIONS, name, reader);

  test('no verb and no script calls an overload of any function or operator in public', async () => {
    const words = await wordsOf(database, from);
    const shared = await make(from);
    await shared.asAdministrator(`CREATE ROLE ${stranger}`);
    const planted = await setTraps(shared, stranger, words);
    expect(planted.functions).toBeGreaterThan(500);
    expect(planted.operators).toBeGreaterThan(200);
    const options = migratorOn(shared, { connect: asSuperuser(shared), database, execution: 'arn:1' });
    for (const verb of EVERY_VERB) await verb(options);
    const { head } = database.chain;
    const before = database.chain.revisions.at(-2)?.id ?? 'base';
    for (const script of [
      offlineSql(database.chain, 'upgrade', before, head),
      offlineSql(database.chain, 'downgrade', head, before),
    ]) {
      await shared.asAdministrator(`SET search_path = public; ${script}`);
    }
    expect(await hasSprung(shared)).toBe(false);
    await shared.asAdministrator(`DROP OWNED BY ${stranger} CASCADE; DROP ROLE ${stranger}`);
  });
});

test('the traps spring: a careless statement calls them', async () => {
  const shared = await make('empty');
  await shared.asAdministrator(`CREATE ROLE ${stranger}`);
  await setTraps(shared, stranger, new Set(['format', '||', 'length', '=']));
  for (const careless of [
    "SELECT format('%I', 'a'::text)",
    'SELECT relname || relname FROM pg_class LIMIT 1',
    'SELECT length(relname) FROM pg_class LIMIT 1',
    "SELECT 'a'::varchar = 'b'::varchar",
  ]) {
    await expect(shared.asAdministrator(`SET search_path = public; ${careless}`)).rejects.toMatchObject({
      message: `a stranger ran as ${testServer.user}`,
    });
  }
  expect(await hasSprung(shared)).toBe(true);
  await shared.asAdministrator(`DROP OWNED BY ${stranger} CASCADE; DROP ROLE ${stranger}`);
});
