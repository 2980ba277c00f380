// Which database a call is about, and how to connect to it.
import { BackstopError } from '../../lambda/migrator/model/errors.ts';
import {
  type Database,
  type DatabaseDefinition,
  readDatabase,
  readDatabases,
} from '../../lambda/migrator/revisions/databases.ts';
import { parseTarget } from '../../lambda/migrator/revisions/target.ts';
import { type Connect, connectorTo } from '../../lambda/migrator/session/connection.ts';
import { parseDatabaseUrl } from '../../lambda/migrator/session/database-url.ts';
import type { MigratorOptions } from '../../lambda/migrator/session/session.ts';
import type { Call } from './verb.ts';

/**
 * The database that the options name: by `--database`, or by the branch label before the @ of a target, or the first.
 *
 * @throws RevisionInvalid, InvalidInput
 */
export function readSelected({ options, read }: Pick<Call, 'options' | 'read'>, target = ''): Database {
  const { migrations, database } = options;
  if (database !== undefined) return readDatabase(migrations, database, read);
  const { label } = parseTarget(target);
  const [selected] = readDatabases(migrations, read, (definitions) => [firstOf(definitions, label)]);
  return selected as Database;
}

/** The first database of that branch; without a label, the first of all. Throws InvalidInput if there is none. */
function firstOf(definitions: readonly DatabaseDefinition[], label: string | undefined): DatabaseDefinition {
  const first = definitions.find(({ branch }) => label === undefined || branch === label);
  if (first) return first;
  const branches = definitions.flatMap(({ branch }) => branch ?? []);
  throw new BackstopError('InvalidInput', {
    message: `No such branch: '${label}'`,
    hint: `${branches.length > 0 ? `Use one of: ${branches.join(', ')}; or leave` : 'Leave'} out the label before the @.`,
  });
}

/** The options that a verb of the engine needs for that database. Throws ConfigurationError if its URL is missing or unreadable. */
export function connectionTo(database: Database, call: Call): MigratorOptions {
  return { database, connect: connectTo(database.definition, call), listener: call.listen(database) };
}

/** How to connect to the database. Throws ConfigurationError if its URL is missing or unreadable. */
export function connectTo(
  { name, urlVariable }: DatabaseDefinition,
  { options, terminal }: Pick<Call, 'options' | 'terminal'>,
): Connect {
  // An empty --url is reported as such: it comes from a shell variable that was not set.
  const url = options.url ?? (terminal.env[urlVariable] || undefined);
  if (url === undefined) {
    throw new BackstopError('ConfigurationError', {
      message: `${urlVariable} is not set: it is the URL of database ${name}`,
      hint: `Run: export ${urlVariable}=postgresql://user:password@host:5432/${name}`,
    });
  }
  const settings = parseDatabaseUrl(url, options.url === undefined ? urlVariable : '--url', terminal.env);
  return connectorTo(settings);
}

/** The one database of a call, ready to connect to. */
export function selectDatabase(call: Call, target?: string): MigratorOptions {
  return connectionTo(readSelected(call, target), call);
}
