// The databases that tests copy: an empty one, and one at 005 with a few rows in all thirteen tables.
import { loadReader } from '../../lambda/migrator/grammar/postgres.ts';
import { readDatabase } from '../../lambda/migrator/revisions/databases.ts';
import { MIGRATIONS } from '../../lib/paths.ts';
import { contentOf } from '../../lib/twin/data/content.ts';
import type { LocalServer } from '../../lib/twin/server.ts';
import { prepareDatabase } from '../../lib/twin/twin.ts';

export interface Templates {
  /** Names of the databases. */
  readonly empty: string;
  readonly at005: string;
  /** The role that owns them, no superuser. */
  readonly owner: { readonly user: string; readonly password: string };
}

export async function makeTemplates(server: LocalServer): Promise<Templates> {
  const suffix = `${process.pid}`;
  const at005 = `backstop_test_005_${suffix}`;
  const content = contentOf('codebase_mcp', { repositories: 3, chunksPerRepository: 20, seed: 1 });
  const database = readDatabase(MIGRATIONS, 'codebase_mcp', await loadReader());
  const { user, password } = await prepareDatabase(server, at005, database, content);
  return { empty: 'template1', at005, owner: { user, password } };
}
