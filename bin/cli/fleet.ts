// More than one database at once: which they are, and how to connect to each.

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
import type { Call } from './verb.ts';

/** A database of the fleet: how to connect to it, or why that is impossible. */
export interface Member {
  readonly name: string;
  readonly migrator: MigratorOptions | BackstopError;
}

/**
 * The databases that a call is about, in the order of databases.json. If no option chooses among them, these are all
 * databases of every system for which at least one URL is set; the caller does not use the other systems.
 *
 * @throws RevisionInvalid; InvalidInput for options that exclude each other; ConfigurationError if no URL is set, or
 *   two of them name the same database
 */
export function readFleet(call: Call): Member[] {
  const { options, terminal, read } = call;
  const databases = readDatabases(options.migrations, read, (definitions) => {
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
  { options: { database, url }, flags, terminal: { env } }: Call,
): DatabaseDefinition[] {
  const only = flags.filter(({ meaning }) => meaning === 'only').map(({ flag }) => flag);
  refuseTogether([...(database === undefined ? [] : ['--database']), ...only]);
  if (database !== undefined) return [definitionOf(definitions, database)];
  if (url !== undefined) {
    throw new BackstopError('InvalidInput', {
      message: '--url is the URL of one database, and this command may be about more',
      hint: 'Add --database with its name.',
    });
  }
  const [chosen] = only;
  if (chosen !== undefined) return definitions.filter((definition) => definition.flags?.only === chosen);
  const systems = new Set(definitions.filter(({ urlVariable }) => env[urlVariable]).map(systemOf));
  if (systems.size === 0) {
    throw new BackstopError('ConfigurationError', {
      message: 'No database URL is set',
      hint: `Run: export ${definitions[0]?.urlVariable}=postgresql://user:password@host:5432/${definitions[0]?.name}`,
    });
  }
  return definitions.filter((definition) => systems.has(systemOf(definition)));
}

/** Throws InvalidInput if there is more than one of these options, each of which chooses the databases. */
function refuseTogether(choices: readonly string[]): void {
  if (choices.length < 2) return;
  throw new BackstopError('InvalidInput', {
    message: `${new Intl.ListFormat('en-GB').format(choices)} exclude each other`,
    hint: 'Use one of them, or none for all databases.',
  });
}

/** If two variables hold the same URL, the second database would be migrated with the revisions of another. */
function requireDistinct(definitions: readonly DatabaseDefinition[], env: Call['terminal']['env']): void {
  const seen = new Map<string, string>();
  for (const { urlVariable } of definitions) {
    const address = addressIn(urlVariable, env);
    if (address === undefined) continue;
    const other = seen.get(address);
    if (other !== undefined && other !== urlVariable) {
      throw new BackstopError('ConfigurationError', {
        message: `${other} and ${urlVariable} name the same database`,
        hint: 'Correct one of them, or unset it.',
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

/** The error as a value: it concerns its own database, and the others go on. */
function orError<T>(work: () => T): T | BackstopError {
  try {
    return work();
  } catch (error) {
    if (error instanceof BackstopError) return error;
    throw error;
  }
}
