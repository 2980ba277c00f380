// Judges a case: the name of its ending, the promise of the ending, the remedy, and leftover sessions and locks.
import { isDeepStrictEqual } from 'node:util';
import { downgrade, upgrade } from '../../../lambda/migrator/migrator.ts';
import { promiseOf } from '../../../lambda/promises.ts';
import { lookInto, type Run, refusals, type TestTwin } from '../../machine/twin.ts';
import { makeDatabase, migratorOn } from '../../setup/database.ts';
import { expectNothingLeft } from '../../setup/sessions.ts';
import type { FaultCase } from './case.ts';
import { type Ends, PLACES, type PlaceName } from './places.ts';

/** The result of a case; a row of the page. */
export interface Row {
  readonly place: PlaceName;
  readonly fault: string;
  readonly ends: Ends;
  readonly database: string;
  /** Empty if the execution succeeded. */
  readonly remedy: string;
}

/** The limit of Step Functions for a document, in bytes. */
const LONGEST_DOCUMENT = 262_144;

/** Throws an error that says what is wrong. */
export async function judge({ place, fault, ends }: FaultCase, run: Run, twin: TestTwin): Promise<Row> {
  const { status, error, cause, state } = run.execution;
  if ((error ?? 'Succeeded') !== ends)
    throw new Error(`ends as ${error ?? status}, not as ${ends}: ${story(run)}`);
  if (ends !== 'Succeeded') expect(cause).toMatch(/HINT: {2}\S/);
  expect(status).toBe(ends === 'Succeeded' ? 'SUCCEEDED' : 'FAILED');
  expect(Buffer.byteLength(JSON.stringify(state))).toBeLessThan(LONGEST_DOCUMENT);
  const database = await readState(run, ends);
  expect({ ends, database }).toEqual({ ends, database: expect.stringMatching(promised(ends, place)) });
  await expectNothingLeft(twin.database);
  return { place, fault, ends, database, remedy: remedyIn(cause ?? '') };
}

/** Explains a wrong ending to the developer. */
function story({ execution: { states, cause }, events }: Run): string {
  const failed = states.flatMap(({ name, error }) => (error === undefined ? [] : [`${name}: ${error}`]));
  const log = events.flatMap((event) => (event.type === 'log' ? [JSON.stringify(event.line)] : []));
  return [failed.join(', '), cause, ...log.slice(-5)].join('\n');
}

/** A pattern for {@link readState}: the promise of the ending. */
function promised(ends: Ends, place: PlaceName): RegExp {
  const target = PLACES[place].at === '005' ? '002' : '005';
  const promise = ends === 'Succeeded' ? 'at target' : promiseOf(ends, refusals).database;
  switch (promise) {
    case 'unchanged':
    case 'downgraded':
      return /^as before$/;
    case 'at target':
      return new RegExp(`^at ${target},`);
    case 'needs a person':
      // The ending does not say which, but no revision is half applied.
      return /^(as before$|at )/;
  }
}

const CORE = ['code_chunks', 'code_files', 'embeddings', 'repositories'];

/** Describes the state of the database in words; throws if no revision leads to that state. */
async function readState({ before, after }: Run, ends: Ends): Promise<string> {
  const { revision, schema, rows } = after;
  if (isDeepStrictEqual(after, before)) return 'as before';
  if (ends === 'DowngradeIncomplete') {
    expect(schema).not.toBe(await schemaAt(revision));
    expect(rows).toEqual(before.rows);
    return `at ${revision}, with every row, the schema not as before`;
  }
  expect({ revision, schema }).toEqual({ revision, schema: await schemaAt(revision) });
  if (isDeepStrictEqual(rows, before.rows)) return `at ${revision}, with every row`;
  const core = Object.entries(before.rows).filter(([table]) => CORE.includes(table));
  expect(rows).toEqual(Object.fromEntries(core));
  return `at ${revision}, finalized`;
}

const schemas = new Map<string, Promise<string>>();

/** The schema as the revisions make it. */
function schemaAt(revision: string): Promise<string> {
  const known = schemas.get(revision) ?? makeSchema(revision);
  schemas.set(revision, known);
  return known;
}

async function makeSchema(revision: string): Promise<string> {
  const database = await makeDatabase('at005');
  await (revision === '002' ? upgrade : downgrade)(migratorOn(database), revision);
  const { schema } = await lookInto(database.name);
  await database.drop();
  return schema;
}

/** The last remedy of a sentence; placeholders replace the parts that differ from run to run. */
function remedyIn(cause: string): string {
  const [, ...remedies] = cause.split('HINT:  ');
  return (remedies.at(-1) ?? '')
    .replaceAll(/local-\d+-\d+/g, '<execution>')
    .replaceAll(/backstop_test_\w+/g, '<database>')
    .replaceAll(/pg_terminate_backend\(\d+\)/g, 'pg_terminate_backend(<pid>)')
    .replaceAll(/\s+/g, ' ');
}
