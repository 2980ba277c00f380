// `current`: the revision that the database is at.
import { current } from '../../../lambda/migrator/inspect.ts';
import { BASE } from '../../../lambda/migrator/model/report.ts';
import { revisionOf } from '../../../lambda/migrator/revisions/chain.ts';
import { selectDatabase } from '../databases.ts';
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
    const id = await current(options);
    if (id === BASE) return { lines: [], json: { database: definition.name, revision: BASE, head: false } };
    const revision = revisionOf(chain, id);
    const lines = call.options.verbose
      ? [`Current revision(s) for ${definition.name}:`, ...logEntry(chain, revision)]
      : [shortName(chain, id)];
    return { lines, json: { database: definition.name, ...revisionJson(chain, revision) } };
  },
};
