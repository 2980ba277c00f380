// Databases for cases: each verb has its start state, and an unchanged database is used again.
import pg from 'pg';
import { connectorTo } from '../../lambda/migrator/session/connection.ts';
import type { ConnectionSettings } from '../../lambda/migrator/session/settings.ts';
import type { ServerAddress } from '../../lib/twin/server.ts';
import { addressOf } from '../../lib/twin/twin.ts';
import { connectorFor, makeDatabase, migratorOn, testServer } from '../setup/database.ts';
import { openNetwork } from './network.ts';
import { type Fingerprint, readFingerprint } from './states.ts';
import { VERBS, type VerbName } from './verbs.ts';

/** An undisturbed run of a verb. */
export interface Script {
  /** The texts of its statements; the first is the start of the session. */
  readonly statements: readonly string[];
  readonly start: Fingerprint;
  readonly end: Fingerprint;
  readonly outcome: string;
}

/** A database in which a verb can run, and two connections that observe it. */
export interface CaseDatabase {
  /** The connection of the owner; without TLS, as through a disturbed network. */
  readonly settings: ConnectionSettings;
  /** A session of the owner that only reads. */
  readonly reader: pg.Client;
  /** The administrator, in sessions outside the database. */
  readonly administrator: pg.Pool;
  /** Drops the database. */
  drop(): Promise<void>;
}

const scripts = new Map<VerbName, Promise<Script>>();
const free = new Map<VerbName, CaseDatabase[]>();
let administrator: pg.Pool | undefined;

/** Runs the verb once, undisturbed; later calls return the same script. */
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

/** Runs the verb in this database, undisturbed. */
export async function observe(verb: VerbName, { settings, reader }: CaseDatabase): Promise<Script> {
  const start = await readFingerprint(reader);
  await using network = await openNetwork(settings);
  const { outcome } = await VERBS[verb].ask(migratorOn({ connect: connectorTo(network.settings) }));
  return { statements: network.statements, start, end: await readFingerprint(reader), outcome };
}

/** Returns a database in the start state of the verb, without the schema `backstop`. */
export async function take(verb: VerbName): Promise<CaseDatabase> {
  const database = free.get(verb)?.pop() ?? (await make(verb));
  await forget(database);
  return database;
}

/** Drops the schema `backstop`, so that every run sends the same statements. */
async function forget({ reader }: CaseDatabase): Promise<void> {
  await reader.query('DROP SCHEMA IF EXISTS backstop CASCADE');
}

async function make(verb: VerbName): Promise<CaseDatabase> {
  const database = await makeDatabase('at005');
  for (const ask of VERBS[verb].from) await ask(migratorOn(database));
  const settings: ConnectionSettings = { ...database.settings, tls: { mode: 'off' } };
  const reader = await connectorFor(settings)('reader');
  administrator ??= administratorOf(testServer);
  return { settings, reader, administrator, drop: database.drop };
}

/** Returns an unchanged database for the next case. */
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
