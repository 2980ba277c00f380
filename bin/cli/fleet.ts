// More than one database at once: which they are, and what stands in each of them.

import { BackstopError } from '../../lambda/migrator/model/errors.ts';
import {
  type DatabaseDefinition,
  definitionOf,
  readDatabases,
  systemOf,
} from '../../lambda/migrator/revisions/databases.ts';
import { parseDatabaseUrl } from '../../lambda/migrator/session/database-url.ts';
import type { MigratorOptions } from '../../lambda/migrator/session/session.ts';
import { connectionTo } from './databases.ts';
import type { Call, OptionWords } from './verb.ts';

export interface FleetOptions {
  readonly authOnly?: boolean;
  readonly specsOnly?: boolean;
}

/** The flags of the Socrates guide. */
export const onlyOptions: readonly OptionWords[] = [
  { flags: '--auth-only', description: 'only databases of the branch auth' },
  { flags: '--specs-only', description: 'only databases of the branch specs' },
];

/** A database of the fleet: ready to be connected to, or why it is not. */
export interface Member {
  readonly name: string;
  readonly migrator: MigratorOptions | BackstopError;
}

/**
 * The databases that a call is about, in the order of databases.json. Without a choice among the options these are
 * all of every system of which at least one URL is known; the others are none of this caller's business.
 *
 * @throws RevisionInvalid; InvalidInput for options that exclude each other; ConfigurationError where no URL is
 *   known, or two of them name the same database
 */
export function readFleet(call: Call<FleetOptions>): Member[] {
  const { options, terminal } = call;
  const databases = readDatabases(options.migrations, (definitions) => {
    const chosen = choose(definitions, call);
    requireDistinct(chosen, terminal.env);
    return chosen;
  });
  return databases.map((database) => ({
    name: database.definition.name,
    migrator: orError(() => connectionTo(database, call)),
  }));
}

function choose(
  definitions: readonly DatabaseDefinition[],
  { options, terminal: { env } }: Call<FleetOptions>,
): DatabaseDefinition[] {
  const { database, authOnly, specsOnly, url } = options;
  const choices = [database !== undefined, authOnly, specsOnly].filter(Boolean).length;
  if (choices > 1) {
    throw new BackstopError('InvalidInput', {
      message: '--database, --auth-only and --specs-only exclude each other',
      hint: 'Use one of them, or none for all.',
    });
  }
  if (database !== undefined) return [definitionOf(definitions, database)];
  if (url !== undefined) {
    throw new BackstopError('InvalidInput', {
      message: '--url is of one database',
      hint: 'Add --database with its name.',
    });
  }
  const branch = authOnly ? 'auth' : specsOnly ? 'specs' : undefined;
  if (branch !== undefined) return onBranch(definitions, branch);
  const systems = new Set(definitions.filter(({ urlVariable }) => env[urlVariable]).map(systemOf));
  if (systems.size === 0) {
    throw new BackstopError('ConfigurationError', {
      message: 'No database is known: none of their variables is set',
      hint: `Run: export ${definitions[0]?.urlVariable}=postgresql://user:password@host:5432/${definitions[0]?.name}`,
    });
  }
  return definitions.filter((definition) => systems.has(systemOf(definition)));
}

function onBranch(definitions: readonly DatabaseDefinition[], branch: string): DatabaseDefinition[] {
  const found = definitions.filter((definition) => definition.branch === branch);
  if (found.length > 0) return found;
  throw new BackstopError('InvalidInput', {
    message: `No database is of the branch ${branch}`,
    hint: 'Leave the option out; databases.json says which database is of which branch.',
  });
}

/** Two variables with the same URL: whichever came second would be written to the wrong place. */
function requireDistinct(definitions: readonly DatabaseDefinition[], env: Call['terminal']['env']): void {
  const seen = new Map<string, string>();
  for (const { urlVariable } of definitions) {
    const address = addressIn(urlVariable, env);
    if (address === undefined) continue;
    const other = seen.get(address);
    if (other !== undefined && other !== urlVariable) {
      throw new BackstopError('ConfigurationError', {
        message: `${other} and ${urlVariable} name the same database`,
        hint: 'Each must name its own: correct one of them, or unset it.',
      });
    }
    seen.set(address, urlVariable);
  }
}

function addressIn(variable: string, env: Call['terminal']['env']): string | undefined {
  const url = env[variable];
  const settings = url ? orError(() => parseDatabaseUrl(url, variable, env)) : undefined;
  if (settings === undefined || settings instanceof BackstopError) return undefined;
  return `${settings.host.toLowerCase()}:${settings.port}/${settings.database}`;
}

/** The error as a value: it is told of its own database, and the others go on. */
function orError<T>(work: () => T): T | BackstopError {
  try {
    return work();
  } catch (error) {
    if (error instanceof BackstopError) return error;
    throw error;
  }
}
