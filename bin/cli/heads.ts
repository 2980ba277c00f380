// Two heads: the database knows which of them is to come last, although its chain cannot be read.
import { dirname, join, relative } from 'node:path';
import { explainHeads } from '../../lambda/migrator/inspect.ts';
import type { BackstopError } from '../../lambda/migrator/model/errors.ts';
import type { TwoHeads } from '../../lambda/migrator/revisions/chain.ts';
import { readDefinitions } from '../../lambda/migrator/revisions/databases.ts';
import { connectTo } from './databases.ts';
import type { Call } from './verb.ts';

/** The error with the remedy that fits the database; the error itself if the database cannot be asked. */
export async function adviseOnHeads(
  error: TwoHeads,
  call: Pick<Call, 'options' | 'terminal'>,
): Promise<BackstopError> {
  const { migrations } = call.options;
  const folder = dirname(error.heads[0].folder);
  const definition = readDefinitions(migrations).find(
    (found) => relative(join(migrations, found.folder), folder) === '',
  );
  if (definition === undefined) return error;
  try {
    return await explainHeads({ connect: connectTo(definition, call) }, error);
  } catch {
    // The chain must be corrected first.
    return error;
  }
}
