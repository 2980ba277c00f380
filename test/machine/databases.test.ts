// Executions of a stack with several databases: the input decides which one is migrated, and no other is touched.

import { upgrade } from '../../lambda/migrator/migrator.ts';
import { readDatabase } from '../../lambda/migrator/revisions/databases.ts';
import { MIGRATIONS } from '../../lib/paths.ts';
import { insertRows } from '../../lib/twin/data/rows.ts';
import { localDatabase } from '../../lib/twin/databases.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../setup/database.ts';
import { reader } from '../setup/revisions.ts';
import { addSnapshot, lookInto, makeTwin, type Run, withDatabases } from './twin.ts';

/** One revision before its head, with rows in every table. */
async function makeBeforeHead(name: string): Promise<TestDatabase> {
  const made = await makeDatabase('empty', { extension: false });
  await upgrade(migratorOn(made, { database: readDatabase(MIGRATIONS, name, reader) }), 'head-1');
  const client = await made.connect('test');
  await insertRows(client, 1, 10).finally(() => client.end());
  return made;
}

function expectGreen({ execution: { status, error, cause } }: Run): void {
  expect({ status, error, cause }).toEqual({ status: 'SUCCEEDED' });
}

test('the database that the input names is migrated, by its own instance and secret, and the default left alone', async () => {
  const { identifier, secretArn } = localDatabase('socrates_specs');
  const specs = await makeBeforeHead('socrates_specs');
  await using twin = await makeTwin({ beside: { socrates_specs: specs.settings } });
  const before = await lookInto(specs.name);
  const run = await twin.execute({ database: 'socrates_specs' });
  const after = await lookInto(specs.name);
  await specs.drop();

  expectGreen(run);
  expect([before.revision, after.revision]).toEqual(['008', '009']);
  expect(Object.keys(before.rows)).toHaveLength(22);
  expect(after.rows).toEqual({ ...before.rows, activity_logs: 0, project_invitations: 0 });
  expect(run.after).toEqual(run.before);
  expect(run.execution.state.instance?.identifier).toBe(identifier);
  expect(run.execution.state.snapshot?.id).toMatch(/^backstop-socrates-specs-local-/);
  const secrets = twin.endpoint.requests.filter(({ action }) => action === 'GetSecretValue');
  expect(new Set(secrets.map(({ parameters }) => parameters.SecretId))).toEqual(new Set([secretArn]));
});

test('databases that share an instance are told apart by "dbname", and each prunes only its own snapshots', async () => {
  const auth = await makeBeforeHead('socrates_auth');
  const { identifier, secretArn } = localDatabase('codebase_mcp');
  const sharing = { identifier, secretArn: localDatabase('socrates_auth').secretArn };
  await using twin = await makeTwin({
    deployment: withDatabases(
      { codebase_mcp: { identifier, secretArn }, socrates_auth: sharing },
      { BACKSTOP_KEEP_SNAPSHOTS: '1' },
    ),
  });
  const { user: username, password, database: dbname } = auth.settings;
  twin.endpoint.secrets.set(sharing.secretArn, JSON.stringify({ username, password, dbname }));
  addSnapshot(twin.endpoint, 'backstop-codebase-mcp-old', 1, ['backstop:database', 'codebase_mcp']);
  addSnapshot(twin.endpoint, 'backstop-socrates-auth-old', 2, ['backstop:database', 'socrates_auth']);
  const run = await twin.execute({ database: 'socrates_auth', finalize: false });
  const { revision } = await lookInto(auth.name);
  await auth.drop();

  expectGreen(run);
  expect(revision).toBe('002');
  expect(run.after).toEqual(run.before);
  const { id, deleted } = run.execution.state.snapshot ?? {};
  expect(deleted).toEqual(['backstop-socrates-auth-old']);
  const left = [...twin.endpoint.snapshots.values()].map(({ identifier }) => identifier);
  expect(left).toEqual(['backstop-codebase-mcp-old', id]);
});
