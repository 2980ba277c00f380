// `current`: the revision that the database is at.
import { readPlace } from '../../../lambda/migrator/inspect.ts';
import { BASE } from '../../../lambda/migrator/model/report.ts';
import { revisionOf } from '../../../lambda/migrator/revisions/chain.ts';
import { selectDatabase } from '../databases.ts';
import { FAILED } from '../exit-status.ts';
import { describeFailure } from '../failure.ts';
import { logEntry, revisionJson, shortName } from '../revisions.ts';
import type { Call, Verb } from '../verb.ts';

export const currentVerb: Verb = {
  name: 'current',
  description: 'Show the revision that the database is at; prints nothing at base.',
  options: [{ flags: '-v, --verbose', description: 'show the whole revision' }],
  example: 'npx backstop current',
  async run(call: Call<{ readonly verbose?: boolean }>) {
    const options = selectDatabase(call);
    const { definition, chain } = options.database;
    const { revision: id, wrong } = await readPlace(options);
    const failure = wrong && describeFailure(wrong, call.terminal);
    for (const line of failure?.lines ?? []) call.terminal.err(line);
    const status = failure && { status: FAILED };
    const problem = failure?.json as object | undefined;
    if (id === BASE) {
      return {
        lines: [],
        json: { database: definition.name, revision: BASE, head: false, ...problem },
        ...status,
      };
    }
    const revision = revisionOf(chain, id);
    const lines = call.options.verbose
      ? [`Current revision(s) for ${definition.name}:`, ...logEntry(chain, revision)]
      : [shortName(chain, id)];
    return {
      lines,
      json: { database: definition.name, ...revisionJson(chain, revision), ...problem },
      ...status,
    };
  },
};
