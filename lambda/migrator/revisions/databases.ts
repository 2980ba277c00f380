// The databases and the folder of revisions of each, as migrations/databases.json names them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { Reader } from '../grammar/statement.ts';
import { BackstopError, isEndingName } from '../model/errors.ts';
import type { RevisionId } from '../model/report.ts';
import { type Chain, hasRevisions, readChain } from './chain.ts';

/** A flag that the command line can tell from its own: `--orders-only`. */
const flag = z
  .string()
  .regex(
    /^--(?!no-)[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$/,
    'a flag is written like --orders-only, and not --no-…',
  );

const definition = z.strictObject({
  /** Folder below migrations/ that holds the revisions. */
  folder: z.string().min(1),
  /** Environment variable with the URL that the command line connects to. */
  urlVariable: z.string().min(1),
  /** Extensions that must be installed before the first revision runs. */
  extensions: z.array(z.string().min(1)).default([]),
  /** The branch label of its first revision. */
  branch: z.string().min(1).optional(),
  /** Databases of one system share their revision numbers. Without it a database is a separate system. */
  system: z.string().min(1).optional(),
  /** Tables in public that tell this database from the others. */
  landmarks: z.array(z.string().min(1)).optional(),
  /** The words in which the command line reports a run: `plain`, the default, or Alembic's. */
  voice: z.enum(['plain', 'alembic']).optional(),
  /** Whether the history keeps the lists of a report whole; by default only their first and last entries. */
  history: z.enum(['short', 'whole']).optional(),
  /** Flags that the command line adds to `upgrade` and `status`. Several databases may declare the same flag. */
  flags: z
    .strictObject({
      /** Chooses the databases that declare it: `upgrade --orders-only`. */
      only: flag.optional(),
      /** Shows the status and upgrades nothing: `upgrade --check-status`. */
      status: flag.optional(),
    })
    .optional(),
});

const file = z
  .record(z.string().regex(/^[a-z][a-z0-9_]*$/), definition)
  .refine((databases) => Object.keys(databases).length > 0, 'it names no database');

export interface DatabaseDefinition extends z.output<typeof definition> {
  readonly name: string;
}

/** A database and its revisions: all that a run needs before it connects. */
export interface Database {
  readonly definition: DatabaseDefinition;
  readonly chain: Chain;
  /** The other databases: a connection may lead to one of them by mistake. Default: none. */
  readonly others?: readonly OtherDatabase[];
}

export interface OtherDatabase {
  readonly definition: DatabaseDefinition;
  /** Reads the ids of its revisions; none if its folder cannot be read. */
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
        hint: 'Each key names a database; its value has folder, urlVariable, and as needed extensions, branch, system, landmarks, voice, history and flags.',
      },
      { cause },
    );
  }
}

/**
 * One database with its chain.
 *
 * @throws InvalidInput for an unknown name; RevisionInvalid as {@link readDatabases} does
 */
export function readDatabase(migrations: string, name: string, read: Reader): Database {
  const [database] = readDatabases(migrations, read, (definitions) => [definitionOf(definitions, name)]);
  return database as Database;
}

/**
 * The databases that `choose` picks among the definitions, each with its chain.
 *
 * @param read reads the SQL of a file, when it is needed
 * @throws the errors of `choose`; RevisionInvalid as {@link readChain} does, and if the branch of the revisions is not the
 *   branch in databases.json
 */
export function readDatabases(
  migrations: string,
  read: Reader,
  choose: (definitions: readonly DatabaseDefinition[]) => readonly DatabaseDefinition[],
): Database[] {
  const definitions = readDefinitions(migrations);
  return choose(definitions).map((definition) => ({
    definition,
    chain: readChainOf(migrations, definition, read),
    others: definitions
      .filter((other) => other !== definition)
      .map((other) => ({ definition: other, revisions: () => revisionsOf(migrations, other) })),
  }));
}

/** The chain of a database; undefined if its folder is missing or empty. Throws RevisionInvalid as {@link readDatabases} does. */
export function readChainIfAny(
  migrations: string,
  definition: DatabaseDefinition,
  read: Reader,
): Chain | undefined {
  const isThere = hasRevisions(join(migrations, definition.folder));
  return isThere ? readChainOf(migrations, definition, read) : undefined;
}

/** Enough to read the headers, and no SQL. */
const headersOnly: Reader = () => ({ statements: [], comments: [] });

/** Names of the endings that revisions declare in their headers beside the engine's own, of all databases, each once. */
export function readRefusals(migrations: string): readonly string[] {
  const databases = readDatabases(migrations, headersOnly, (definitions) => definitions);
  const revisions = databases.flatMap(({ chain }) => chain.revisions);
  const names = new Set(revisions.flatMap(({ upgrade }) => [...upgrade.refuses.values()]));
  return [...names].filter((name) => !isEndingName(name)).sort();
}

/** Throws InvalidInput for an unknown name. */
export function definitionOf(definitions: readonly DatabaseDefinition[], name: string): DatabaseDefinition {
  const found = definitions.find((candidate) => candidate.name === name);
  if (found) return found;
  throw new BackstopError('InvalidInput', {
    message: `There is no database "${name}"`,
    hint: `Use one of: ${definitions.map((candidate) => candidate.name).join(', ')}.`,
  });
}

function readChainOf(migrations: string, { name, folder, branch }: DatabaseDefinition, read: Reader): Chain {
  const chain = readChain(join(migrations, folder), read);
  if (chain.branch === branch) return chain;
  throw new BackstopError('RevisionInvalid', {
    message: `databases.json binds ${name} to ${describeBranch(branch)}, but the revisions in ${folder} are of ${describeBranch(chain.branch)}`,
    hint: 'Correct "branch" there, "folder" there, or the "-- Branch:" line of the first revision.',
  });
}

function revisionsOf(migrations: string, { folder }: DatabaseDefinition): RevisionId[] {
  try {
    return readChain(join(migrations, folder), headersOnly).revisions.map(({ id }) => id);
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
