// `stamp`: writes the version of the database, and runs nothing.
import { stamp } from '../../../lambda/migrator/migrator.ts';
import { selectDatabase } from '../databases.ts';
import { lockWait, withBounds } from '../options.ts';
import { runResult } from '../outcome.ts';
import type { Call, Verb } from '../verb.ts';

export const stampVerb: Verb = {
  name: 'stamp',
  args: [['<revision>', 'a revision, its unique beginning, head or base']],
  description: 'Write the version and run nothing; use it only if you are sure of the schema.',
  options: [
    { flags: '--purge', description: 'also if the version is unknown, or there is more than one' },
    lockWait,
  ],
  example: 'npx backstop stamp 005',
  async run(call: Call<{ readonly purge?: boolean; readonly lockWait?: string }>) {
    const [target = ''] = call.args;
    const options = withBounds(selectDatabase(call, target), call.options);
    const report = await stamp(options, target, { purge: call.options.purge ?? false });
    return runResult(call, options, report);
  },
};
