// Databases for cases: each verb starts from its own state, and a case that has changed nothing leaves its database to
// the next.
import pg from 'pg';
import { connectorTo } from '../../lambda/migrator/session/connection.ts';
import type { ConnectionSettings } from '../../lambda/migrator/session/settings.ts';
import type { ServerAddress } from '../../lib/twin/server.ts';
import { addressOf } from '../../lib/twin/twin.ts';
import { makeDatabase, migratorOn, testServer } from '../setup/database.ts';
import { openNetwork } from './network.ts';
import { type Fingerprint, readFingerprint } from './states.ts';
import { VERBS, type VerbName } from './verbs.ts';

/** What a verb does where nothing disturbs it. */
export interface Script {
  /** The texts of its statements; the first is the start of the session. */
  readonly statements: readonly string[];
  readonly start: Fingerprint;
  readonly end: Fingerprint;
  readonly outcome: string;
}

/** A database in which a verb can be run, and two looks at it. */
export interface CaseDatabase {
  /** As the owner; without TLS, as through a network that is disturbed. */
  readonly settings: ConnectionSettings;
  /** A session of the owner that only looks. */
  readonly reader: pg.Client;
  /** The administrator, in sessions outside the database. */
  readonly administrator: pg.Pool;
  /** Drops the database. */
  drop(): Promise<void>;
}

const scripts = new Map<VerbName, Promise<Script>>();
const free = new Map<VerbName, CaseDatabase[]>();
let administrator: pg.Pool | undefined;

/** Runs the verb once, undisturbed; asked again, it has the answer. */
export function learn(verb: VerbName): Promise<Script> {
  const known = scripts.get(verb) ?? perform(verb);
  scripts.set(verb, known);
  return known;
}

async function perform(verb: VerbName): Promise<Script> {
  const database = await take(verb);
  const script = await observe(verb, database);
  await discard(database);
  return script;
}

/** Runs the verb there, undisturbed. */
export async function observe(verb: VerbName, { settings, reader }: CaseDatabase): Promise<Script> {
  const start = await readFingerprint(reader);
  await using network = await openNetwork(settings);
  const { outcome } = await VERBS[verb].ask(migratorOn({ connect: connectorTo(network.settings) }));
  return { statements: network.statements, start, end: await readFingerprint(reader), outcome };
}

/** A database in the state from which the verb starts, in which Backstop has no memory of itself. */
export async function take(verb: VerbName): Promise<CaseDatabase> {
  const database = free.get(verb)?.pop() ?? (await make(verb));
  await forget(database);
  return database;
}

/** Takes Backstop's memory from the database, so that every run sends the same statements. */
export async function forget({ reader }: CaseDatabase): Promise<void> {
  await reader.query('DROP SCHEMA IF EXISTS backstop CASCADE');
}

async function make(verb: VerbName): Promise<CaseDatabase> {
  const database = await makeDatabase('at005');
  for (const ask of VERBS[verb].from) await ask(migratorOn(database));
  const settings: ConnectionSettings = { ...database.settings, tls: { mode: 'off' } };
  const reader = await connectorTo(settings)('reader');
  administrator ??= administratorOf(testServer);
  return { settings, reader, administrator, drop: database.drop };
}

/** For a database that is as it was taken. */
export function giveBack(verb: VerbName, database: CaseDatabase): void {
  free.set(verb, [...(free.get(verb) ?? []), database]);
}

export async function discard({ reader, drop }: CaseDatabase): Promise<void> {
  await reader.end();
  await drop();
}

/** Sessions of a server's administrator, for cases that run at the same time. */
export function administratorOf(server: ServerAddress): pg.Pool {
  const { tls, ...settings } = addressOf(server, 'postgres');
  const pool = new pg.Pool({ ...settings, ssl: tls.mode === 'off' ? false : { ca: tls.ca }, max: 4 });
  return pool.on('error', () => {});
}

/** After all cases of a file. */
export async function discardAll(): Promise<void> {
  for (const database of [...free.values()].flat()) await discard(database);
  free.clear();
  await administrator?.end();
  administrator = undefined;
}
