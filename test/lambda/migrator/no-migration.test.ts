// The engine knows no migration: no file of it names a table, an ending or a pattern of the bundled revisions.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readDatabases, readRefusals } from '../../../lambda/migrator/revisions/databases.ts';
import { LAMBDA, MIGRATIONS } from '../../../lib/paths.ts';
import { reader } from '../../setup/revisions.ts';

const ENGINE = join(LAMBDA, 'migrator');
const files = readdirSync(ENGINE, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
);

const databases = readDatabases(MIGRATIONS, reader, (definitions) => definitions);
const tables = databases.flatMap(({ definition, chain }) => [
  ...(definition.landmarks ?? []),
  ...chain.revisions.flatMap(({ upgrade, downgrade, retires }) =>
    [...upgrade.locks, ...downgrade.locks, ...retires].map((name) => name.replace(/^.*\./, '')),
  ),
]);
/** Words of the language, which are tables of Socrates as well. */
const COMMON = [
  'users',
  'sessions',
  'questions',
  'projects',
  'conflicts',
  'activity_log',
  'tasks',
  'alembic_version',
];
const names = [
  ...new Set(tables.filter((table) => !COMMON.includes(table))),
  ...databases.map(({ definition }) => definition.name),
  ...readRefusals(MIGRATIONS),
  'project_id',
  'a-z0-9-',
];

test.each(files)('lambda/migrator/%s names nothing of the bundled revisions', (file) => {
  const text = readFileSync(join(ENGINE, file), 'utf8');
  expect(names.filter((name) => new RegExp(`(?<![\\w.])${name}(?!\\w)`).test(text))).toEqual([]);
});

test('the names that are searched for come from the revisions', () => {
  expect(names).toEqual(
    expect.arrayContaining(['code_chunks', 'work_item_dependencies', 'codebase_mcp', 'ForeignKeyBlocked']),
  );
});

test.each(files)('lambda/migrator/%s has at most 250 lines', (file) => {
  expect(readFileSync(join(ENGINE, file), 'utf8').split('\n').length).toBeLessThanOrEqual(251);
});
