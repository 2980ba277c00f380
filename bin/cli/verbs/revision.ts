// `revision`: makes a revision folder with the next number, which can be upgraded and downgraded at once.
import type { Reader } from '../../../lambda/migrator/grammar/statement.ts';
import { BackstopError } from '../../../lambda/migrator/model/errors.ts';
import type { RevisionId } from '../../../lambda/migrator/model/report.ts';
import {
  type DatabaseDefinition,
  definitionOf,
  readChainIfAny,
  readDefinitions,
  systemOf,
} from '../../../lambda/migrator/revisions/databases.ts';
import { faultOf } from '../../../lambda/migrator/revisions/revision.ts';
import { nextId, writeRevision } from '../template.ts';
import type { Call, Verb } from '../verb.ts';

export const revisionVerb: Verb = {
  name: 'revision',
  description: 'Make the folder of a new revision from the template.',
  options: [
    { flags: '-m, --message <text>', description: 'a short description of the revision', fallback: '' },
    { flags: '--rev-id <id>', description: 'the id of the revision, instead of the next number' },
  ],
  example: 'npx backstop revision -m "add new feature" --database app',
  offline: true,
  async run({ options, read }: Call<{ readonly message: string; readonly revId?: string }>) {
    const { migrations, database, message, revId } = options;
    const definitions = readDefinitions(migrations);
    const [first] = definitions;
    const definition =
      database === undefined ? (first as DatabaseDefinition) : definitionOf(definitions, database);
    const head = readChainIfAny(migrations, definition, read)?.head;
    const taken = idsOf(
      migrations,
      read,
      definitions.filter((other) => systemOf(other) === systemOf(definition)),
    );
    if (revId !== undefined) requireFree(revId, taken);
    const id = revId ?? nextId([...taken.keys()], head);
    const folder = writeRevision(migrations, { id, message, definition, revises: head });
    return {
      lines: [`Generating ${folder} ...  done`],
      json: { database: definition.name, revision: id, folder },
    };
  },
};

/** Revision id → the database that has it. */
function idsOf(
  migrations: string,
  read: Reader,
  system: readonly DatabaseDefinition[],
): Map<RevisionId, string> {
  const ids = new Map<RevisionId, string>();
  for (const definition of system) {
    for (const { id } of readChainIfAny(migrations, definition, read)?.revisions ?? [])
      ids.set(id, definition.name);
  }
  return ids;
}

/** Throws InvalidInput if the id cannot be used, or another revision has it. */
function requireFree(id: RevisionId, taken: ReadonlyMap<RevisionId, string>): void {
  const fault =
    id === '' ? { message: 'the revision id is empty', hint: 'Use letters and digits.' } : faultOf(id);
  if (fault) throw new BackstopError('InvalidInput', { ...fault, message: `--rev-id: ${fault.message}` });
  const owner = taken.get(id);
  if (owner === undefined) return;
  throw new BackstopError('InvalidInput', {
    message: `--rev-id: ${owner} has a revision ${id} already`,
    hint: 'Choose another id, or leave --rev-id out for the next number.',
  });
}
