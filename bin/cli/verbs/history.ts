// `history`: the revisions of a database, the newest first. It only reads the folders.
import { readSelected } from '../databases.ts';
import { historyLine, logEntry, revisionJson } from '../revisions.ts';
import type { Call, Verb } from '../verb.ts';

export const historyVerb: Verb = {
  name: 'history',
  description: 'List the revisions, the newest first.',
  options: [{ flags: '-v, --verbose', description: 'show each whole revision' }],
  example: 'npx backstop history --verbose',
  offline: true,
  async run({ options, read }: Call<{ readonly verbose?: boolean }>) {
    const { definition, chain } = readSelected({ options, read });
    const newestFirst = chain.revisions.toReversed();
    return {
      lines: newestFirst.flatMap((revision) =>
        options.verbose ? logEntry(chain, revision) : [historyLine(chain, revision)],
      ),
      json: {
        database: definition.name,
        revisions: newestFirst.map((revision) => revisionJson(chain, revision)),
      },
    };
  },
};
