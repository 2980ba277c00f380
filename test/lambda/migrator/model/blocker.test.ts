// The facts about a session in the way: never the text of its statement, and no secret in its name.
import {
  applicationOf,
  blockerOf,
  commandOf,
  withoutStatements,
} from '../../../../lambda/migrator/model/blocker.ts';

test.each([
  ["update people SET password = 'sesame'", 'UPDATE'],
  ['  -- sesame\n\t/* sesame /* sesame */ */ ((SELECT 1))', 'SELECT'],
  ['autovacuum: VACUUM public.people', 'AUTOVACUUM'],
  ['/* sesame', ''],
  ['-- sesame', ''],
  ['sesame', ''],
  ['select_sesame', ''],
  ["'sesame'", ''],
  ['<insufficient privilege>', ''],
  ['', ''],
])('the command of %j is %j', (statement, command) => {
  expect(commandOf(statement)).toBe(command);
});

test.each([
  ['psql', 'psql'],
  ['PostgreSQL JDBC Driver', 'PostgreSQL JDBC Driver'],
  ['pgAdmin 4 - DB:app', 'pgAdmin 4 - DB:app'],
  [
    'backstop upgrade 0b7e5f3c-1a2b-4c3d-8e9f-0123456789ab',
    'backstop upgrade 0b7e5f3c-1a2b-4c3d-8e9f-0123456789ab',
  ],
  ['worker 7.0 app [0 of 10 busy]', 'worker 7.0 app [0 of 10 busy]'],
  ['app postgresql://alice:sesame@db/app', 'app'],
  ['app password=sesame', 'app'],
  ['app --password sesame', 'app'],
  ['app password: sesame', 'app'],
  ['alice:sesame@db', ''],
  ['job for alice@example.com', 'job for'],
  ['app abc4Def39Abc1Def2', 'app'],
  ['x'.repeat(100), 'x'.repeat(64)],
])('of the application %j, %j is printed', (name, printed) => {
  expect(applicationOf(name)).toBe(printed);
});

test('a session and a report of an earlier version lose the statement', () => {
  const session = { pid: 1, user: 'u', application: 'a', state: 'active', query: 'select sesame' };
  const listed = { ...session, since: null, relation: null, gid: null };
  const blocker = {
    pid: 1,
    user: 'u',
    application: 'a',
    state: 'active',
    since: '',
    relation: '',
    command: 'SELECT',
  };
  expect(blockerOf(listed)).toEqual(blocker);
  expect(withoutStatements({ attempts: 1, blockers: [session] })).toEqual({
    attempts: 1,
    blockers: [{ ...blocker, command: '' }],
  });
  expect(withoutStatements({ error: 'MigrationFailed' })).toEqual({ error: 'MigrationFailed' });
});
