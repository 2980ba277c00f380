// `fingerprint`: the hash of the catalogue of a database, its lines, and the changes since a run.
import { fingerprint } from '../../../lambda/migrator/inspect.ts';
import { textsOf } from '../../../lambda/migrator/model/bounded.ts';
import { describeChange } from '../../../lambda/migrator/model/differences.ts';
import { printable } from '../../../lambda/migrator/model/printable.ts';
import { selectDatabase } from '../databases.ts';
import type { Call, Verb } from '../verb.ts';

export const fingerprintVerb: Verb = {
  name: 'fingerprint',
  description: 'Print the SHA-256 of the schema: equal only if every object is.',
  options: [
    { flags: '--lines', description: 'print the objects first, one a line' },
    {
      flags: '--diff <run>',
      description: 'print what has changed since that run; a unique start of its id is enough',
    },
  ],
  example: 'npx backstop fingerprint',
  async run(call: Call<{ readonly lines?: boolean; readonly diff?: string }>) {
    const options = selectDatabase(call);
    const { lines = false, diff } = call.options;
    const found = await fingerprint(options, { lines, since: diff });
    const { differences } = found;
    return {
      lines: [
        ...(found.lines ?? []).map((line) => printable(line)),
        ...(differences ? textsOf(differences, 'changes', describeChange).map(printable) : []),
        found.hash,
      ],
      json: { database: options.database.definition.name, ...found },
    };
  },
};
