// The search path of a file: the schemas in which a name is looked up that is written without one.
import { quote } from '../grammar/names.ts';

/** The path of a file whose revision says nothing. */
export const DEFAULT_PATH: readonly string[] = ['public'];

/** The schemas in which others can create nothing. */
const SAFE: readonly string[] = ['pg_catalog', 'pg_temp'];

/** The schemas of a path that others may have put something in. */
export function openSchemas(path: readonly string[]): string[] {
  return path.filter((schema) => !SAFE.includes(schema));
}

/** The schemas of several paths, each once, in their order. */
export function mergePaths(paths: readonly (readonly string[])[]): string[] {
  return [...new Set(paths.flat())];
}

/** The schema of a table that is named without one, as SQL. */
export function homeOf(path: readonly string[]): string {
  const [home = 'public'] = openSchemas(path);
  return written(home);
}

/** The path as the setting `search_path` has it. */
export function pathValue(path: readonly string[]): string {
  return path.map(written).join(', ');
}

/** Without quotes where they are never needed, so that reports and scripts read well. */
function written(schema: string): string {
  return ['public', ...SAFE].includes(schema) ? schema : quote(schema);
}
