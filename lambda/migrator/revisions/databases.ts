// Which databases there are, and which folder of revisions belongs to each: migrations/databases.json, read once.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { BackstopError, ENDINGS } from '../model/errors.ts';
import type { RevisionId } from '../model/report.ts';
import { type Chain, readChain } from './chain.ts';

const definition = z.strictObject({
  /** Folder below migrations/ that holds the revisions. */
  folder: z.string().min(1),
  /** Environment variable with the URL that the command line connects to. */
  urlVariable: z.string().min(1),
  /** Extensions that must be created before the first revision runs. */
  extensions: z.array(z.string().min(1)).default([]),
  /** The branch label that the first of its revisions bears. */
  branch: z.string().min(1).optional(),
  /** Databases of one system share their revision numbers. Without it a database is a system of its own. */
  system: z.string().min(1).optional(),
  /** Tables in public that tell this database from the others. */
  landmarks: z.array(z.string().min(1)).optional(),
});

const file = z
  .record(z.string().regex(/^[a-z][a-z0-9_]*$/), definition)
  .refine((databases) => Object.keys(databases).length > 0, 'it names no database');

export interface DatabaseDefinition extends z.output<typeof definition> {
  readonly name: string;
}

/** A database and its revisions: what every run needs to know before it connects. */
export interface Database {
  readonly definition: DatabaseDefinition;
  readonly chain: Chain;
  /** The databases beside it: a connection may lead to one of those by mistake. Default: none. */
  readonly others?: readonly OtherDatabase[];
}

export interface OtherDatabase {
  readonly definition: DatabaseDefinition;
  /** Reads the ids of its revisions; none where its folder cannot be read, which is told to those who use it. */
  readonly revisions: () => readonly RevisionId[];
}

/** All databases of `migrations/databases.json`, in its order. Throws RevisionInvalid. */
export function readDefinitions(migrations: string): DatabaseDefinition[] {
  try {
    const content = file.parse(JSON.parse(readFileSync(join(migrations, 'databases.json'), 'utf8')));
    return Object.entries(content).map(([name, value]) => ({ name, ...value }));
  } catch (cause) {
    throw new BackstopError(
      'RevisionInvalid',
      {
        message: 'databases.json cannot be read',
        detail: cause instanceof z.ZodError ? z.prettifyError(cause).replaceAll('\n', ' ') : String(cause),
        hint: 'Each key names a database; its value has folder, urlVariable, and as needed extensions, branch, system and landmarks.',
      },
      { cause },
    );
  }
}

/**
 * One database with its chain.
 *
 * @throws InvalidInput for a name that databases.json does not have; RevisionInvalid as {@link readDatabases} does
 */
export function readDatabase(migrations: string, name: string): Database {
  const [database] = readDatabases(migrations, (definitions) => [definitionOf(definitions, name)]);
  return database as Database;
}

/**
 * The databases that `choose` picks among the definitions, each with its chain.
 *
 * @throws what `choose` throws; RevisionInvalid as {@link readChain} does, and where the revisions of a database are of
 *   another branch than it says
 */
export function readDatabases(
  migrations: string,
  choose: (definitions: readonly DatabaseDefinition[]) => readonly DatabaseDefinition[],
): Database[] {
  const definitions = readDefinitions(migrations);
  return choose(definitions).map((definition) => ({
    definition,
    chain: readChainOf(migrations, definition),
    others: definitions
      .filter((other) => other !== definition)
      .map((other) => ({ definition: other, revisions: () => revisionsOf(migrations, other) })),
  }));
}

/** Names of the endings that revisions declare in their headers beside the engine's own, of all databases, each once. */
export function readRefusals(migrations: string): readonly string[] {
  const databases = readDatabases(migrations, (definitions) => definitions);
  const revisions = databases.flatMap(({ chain }) => chain.revisions);
  const names = new Set(revisions.flatMap(({ upgrade }) => [...upgrade.refuses.values()]));
  return [...names].filter((name) => !Object.hasOwn(ENDINGS, name)).sort();
}

/** Throws InvalidInput for a name that databases.json does not have. */
export function definitionOf(definitions: readonly DatabaseDefinition[], name: string): DatabaseDefinition {
  const found = definitions.find((candidate) => candidate.name === name);
  if (found) return found;
  throw new BackstopError('InvalidInput', {
    message: `There is no database "${name}"`,
    hint: `Use one of: ${definitions.map((candidate) => candidate.name).join(', ')}.`,
  });
}

function readChainOf(migrations: string, { name, folder, branch }: DatabaseDefinition): Chain {
  const chain = readChain(join(migrations, folder));
  if (chain.branch === branch) return chain;
  throw new BackstopError('RevisionInvalid', {
    message: `databases.json binds ${name} to ${describeBranch(branch)}, but the revisions in ${folder} are of ${describeBranch(chain.branch)}`,
    hint: 'Correct "branch" there, "folder" there, or the "-- Branch:" line of the first revision.',
  });
}

function revisionsOf(migrations: string, { folder }: DatabaseDefinition): RevisionId[] {
  try {
    return readChain(join(migrations, folder)).revisions.map(({ id }) => id);
  } catch {
    return [];
  }
}

function describeBranch(branch: string | undefined): string {
  return branch === undefined ? 'no branch' : `branch "${branch}"`;
}

/** The system that a database belongs to. */
export function systemOf({ name, system }: DatabaseDefinition): string {
  return system ?? name;
}
