// `stamp`: writes the version of the database, and runs nothing.
import { stamp } from '../../../lambda/migrator/migrator.ts';
import { selectDatabase } from '../databases.ts';
import { lockWait, withBounds } from '../options.ts';
import { describeOutcome } from '../outcome.ts';
import type { Call, Verb } from '../verb.ts';

export const stampVerb: Verb = {
  name: 'stamp',
  args: [['<revision>', 'a revision, a unique start of one, head or base']],
  description: 'Write the version and run nothing: only for one who is certain of the state of the database.',
  options: [
    { flags: '--purge', description: 'also where the version is unknown, or more than one' },
    lockWait,
  ],
  example: 'npx backstop stamp 005',
  async run(call: Call<{ readonly purge?: boolean; readonly lockWait?: string }>) {
    const [target = ''] = call.args;
    const options = withBounds(selectDatabase(call, target), call.options);
    const report = await stamp(options, target, { purge: call.options.purge ?? false });
    return { lines: describeOutcome(report), json: report };
  },
};
