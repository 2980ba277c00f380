// `revision`: makes a revision folder with the next number, which can be upgraded and downgraded at once.
import { readDatabases, systemOf } from '../../../lambda/migrator/revisions/databases.ts';
import { readSelected } from '../databases.ts';
import { nextId, writeRevision } from '../template.ts';
import type { Call, Verb } from '../verb.ts';

export const revisionVerb: Verb = {
  name: 'revision',
  description: 'Make the folder of a new revision from the template.',
  options: [
    { flags: '-m, --message <text>', description: 'a short description of the revision', fallback: '' },
  ],
  example: 'npx backstop revision -m "add new feature" --database app',
  async run({ options, read }: Call<{ readonly message: string }>) {
    const { definition, chain } = readSelected({ options, read });
    const system = readDatabases(options.migrations, read, (definitions) =>
      definitions.filter((other) => systemOf(other) === systemOf(definition)),
    );
    const id = nextId(system.map((database) => database.chain));
    const folder = writeRevision(options.migrations, {
      id,
      message: options.message,
      definition,
      revises: chain.head,
    });
    return {
      lines: [`Generating ${folder} ...  done`],
      json: { database: definition.name, revision: id, folder },
    };
  },
};
