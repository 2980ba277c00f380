// `heads`: the newest revision of a database. It only reads the folders.
import { revisionOf } from '../../../lambda/migrator/revisions/chain.ts';
import { readSelected } from '../databases.ts';
import { branchName, logEntry, revisionJson } from '../revisions.ts';
import type { Call, Verb } from '../verb.ts';

export const headsVerb: Verb = {
  name: 'heads',
  description: 'Show the newest revision.',
  options: [{ flags: '-v, --verbose', description: 'show the whole revision' }],
  example: 'npx backstop heads',
  offline: true,
  async run({ options, read }: Call<{ readonly verbose?: boolean }>) {
    const { definition, chain } = readSelected({ options, read });
    const head = revisionOf(chain, chain.head);
    return {
      lines: options.verbose ? logEntry(chain, head) : [branchName(chain, chain.head)],
      json: { database: definition.name, ...revisionJson(chain, head) },
    };
  },
};
