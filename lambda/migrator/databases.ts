// Which databases there are, and which folder of revisions belongs to each: migrations/databases.json, read once.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { type Chain, readChain } from './chain.ts';
import { InvalidInput, RevisionInvalid } from './errors.ts';

const definition = z.strictObject({
  /** Folder below migrations/ that holds the revisions. */
  folder: z.string().min(1),
  /** Environment variable with the URL that the command line connects to. */
  urlVariable: z.string().min(1),
  /** Extensions that must be created before the first revision runs. */
  extensions: z.array(z.string().min(1)).default([]),
});

const file = z.record(z.string().regex(/^[a-z][a-z0-9_]*$/), definition);

export interface DatabaseDefinition extends z.output<typeof definition> {
  readonly name: string;
}

/** A database and its revisions: what every run needs to know before it connects. */
export interface Database {
  readonly definition: DatabaseDefinition;
  readonly chain: Chain;
}

/** All databases of `migrations/databases.json`, in its order. Throws RevisionInvalid. */
export function readDefinitions(migrations: string): DatabaseDefinition[] {
  try {
    const content = file.parse(JSON.parse(readFileSync(join(migrations, 'databases.json'), 'utf8')));
    return Object.entries(content).map(([name, value]) => ({ name, ...value }));
  } catch (cause) {
    throw new RevisionInvalid(
      {
        message: 'databases.json cannot be read',
        detail: cause instanceof z.ZodError ? z.prettifyError(cause).replaceAll('\n', ' ') : String(cause),
        hint: 'Each key names a database; its value has folder, urlVariable and extensions.',
      },
      { cause },
    );
  }
}

/** One database with its chain. Throws InvalidInput for a name that databases.json does not have. */
export function readDatabase(migrations: string, name: string): Database {
  const definitions = readDefinitions(migrations);
  const found = definitions.find((candidate) => candidate.name === name);
  if (!found) {
    throw new InvalidInput({
      message: `There is no database "${name}"`,
      hint: `Use one of: ${definitions.map((candidate) => candidate.name).join(', ')}.`,
    });
  }
  return { definition: found, chain: readChain(join(migrations, found.folder)) };
}
