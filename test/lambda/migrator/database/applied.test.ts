// The history compared with the chain: a revision that was left out or would run twice is found, and nothing else is.
import { inspect, plan, readPlace } from '../../../../lambda/migrator/inspect.ts';
import { downgrade, stamp, upgrade } from '../../../../lambda/migrator/migrator.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../../../setup/database.ts';
import { databaseOf } from '../../../setup/revisions.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('empty', { extension: false });
});
afterEach(() => database.drop());

/** A chain of these ids, in this order. */
const chainOf = (...ids: string[]) =>
  databaseOf(...ids.map((id, index) => ({ id, ...(index > 0 && { revises: ids[index - 1] as string }) })));
const on = (...ids: string[]) => migratorOn(database, { database: chainOf(...ids) });
const OUT_OF_ORDER = { name: 'RevisionOutOfOrder' };
const moved = (version: string) => database.query(`UPDATE alembic_version SET version_num = '${version}'`);
/** As an earlier version of Backstop wrote a downgrade: only its report names the revisions. */
const asBefore = () =>
  database.query("UPDATE backstop.history SET checksums = '{}' WHERE direction = 'downgrade'");

type Situation = [
  what: string,
  prepare: () => Promise<unknown>,
  chain: string[],
  message: string,
  hint: RegExp,
];

const LEFT_OUT: Situation[] = [
  [
    'a revision that was merged late',
    () => upgrade(on('a', 'c'), 'head'),
    ['a', 'b', 'c'],
    'Revision b was never applied here, and the database is at c',
    /^If the changes are in the database already: npx backstop stamp c --database test\. If not: let b come last: write "-- Revises: a" in c\/upgrade\.sql, "-- Revises: c" in b\/upgrade\.sql$/,
  ],
  [
    'a first revision that was merged late',
    () => upgrade(on('a', 'c'), 'head'),
    ['z', 'a', 'c', 'd'],
    'Revision z was never applied here, and the database is at c',
    /write "-- Revises: <base>" in a\/upgrade\.sql, "-- Revises: d" in z\/upgrade\.sql$/,
  ],
  [
    'two revisions that were merged late',
    () => upgrade(on('a', 'd'), 'head'),
    ['a', 'b', 'c', 'd'],
    'Revisions b, c were never applied here, and the database is at d',
    /let b, c come last: write "-- Revises: a" in d\/upgrade\.sql, "-- Revises: d" in b\/upgrade\.sql$/,
  ],
  [
    'a revision that got another id in a rebase',
    () => upgrade(on('a', 'b', 'c'), 'head'),
    ['a', 'b2', 'c'],
    'Revision b2 was never applied here, and the database is at c',
    /stamp c /,
  ],
  [
    'a folder that was deleted, and added again after an upgrade without it',
    async () => {
      await upgrade(on('a', 'b', 'c'), 'head');
      await downgrade(on('a', 'b', 'c'), 'a');
      await upgrade(on('a', 'c'), 'head');
    },
    ['a', 'b', 'c'],
    'Revision b was never applied here, and the database is at c',
    /let b come last/,
  ],
  [
    'such a folder, if an earlier version wrote the history',
    async () => {
      await upgrade(on('a', 'b', 'c'), 'head');
      await downgrade(on('a', 'b', 'c'), 'a');
      await asBefore();
      await upgrade(on('a', 'c'), 'head');
    },
    ['a', 'b', 'c'],
    'Revision b was never applied here, and the database is at c',
    /let b come last/,
  ],
  [
    'another order, in which an applied revision would run again',
    () => upgrade(on('a', 'b', 'c'), 'head'),
    ['a', 'c', 'b'],
    'Revision b was applied here already, and the database is at c',
    /^Give the "-- Revises:" lines the order .*: npx backstop stamp b --database test$/,
  ],
  [
    'a revision above the stamped version',
    async () => {
      await stamp(on('a', 'b'), 'a');
      await upgrade(on('a', 'c'), 'head');
    },
    ['a', 'b', 'c'],
    'Revision b was never applied here, and the database is at c',
    /let b come last/,
  ],
  [
    'a revision above the one at which the database was taken over',
    async () => {
      await upgrade(on('a'), 'head');
      await database.query('DROP SCHEMA backstop CASCADE');
      await upgrade(on('a', 'c'), 'head');
    },
    ['a', 'b', 'c'],
    'Revision b was never applied here, and the database is at c',
    /let b come last/,
  ],
  [
    'a revision at which an earlier version stopped its downgrade',
    async () => {
      await upgrade(on('a', 'c'), 'head');
      await database.query(
        `UPDATE alembic_version SET version_num = 'b';
         INSERT INTO backstop.history (run_id, direction, from_revision, to_revision, started_at, duration_ms, outcome, checksums, report)
         VALUES (gen_random_uuid(), 'downgrade', 'c', 'b', now(), 1, 'downgraded', '{}', '{"revisions": ["c"]}')`,
      );
    },
    ['a', 'b', 'c'],
    'Revision b was never applied here, and the database is at b',
    /stamp b --database test\. If not: npx backstop stamp a --database test, and upgrade$/,
  ],
];

test.each(LEFT_OUT)('a chain is refused because of %s', async (_what, prepare, chain, message, hint) => {
  await prepare();
  const error = { ...OUT_OF_ORDER, summary: message, hint: expect.stringMatching(hint) };
  await expect(plan(on(...chain), 'upgrade', 'head')).rejects.toMatchObject(error);
  const { wrong } = await readPlace(on(...chain));
  expect(wrong).toMatchObject(error);

  // The remedy of the hint, for changes that are in the database.
  const [, id = ''] = /npx backstop stamp (\S+)/.exec(wrong?.hint ?? '') ?? [];
  expect(await stamp(on(...chain), id)).toMatchObject({ outcome: 'stamped', to: id });
  expect(await upgrade(on(...chain), 'head')).toMatchObject({ to: chain.at(-1) });
  expect(await readPlace(on(...chain))).toEqual({ revision: chain.at(-1) });
});

const FINE: [what: string, prepare: () => Promise<unknown>, chain: string[]][] = [
  ['has no history', async () => {}, ['a', 'b']],
  [
    'was taken over from Alembic',
    async () => {
      await upgrade(on('a', 'b'), 'head');
      await database.query('DROP SCHEMA backstop CASCADE');
      await upgrade(on('a', 'b', 'c'), 'head');
    },
    ['a', 'a2', 'b', 'c'],
  ],
  ['was stamped', () => stamp(on('a', 'b', 'c'), 'c'), ['a', 'a2', 'b', 'c']],
  [
    'was stamped at a revision that is gone',
    async () => {
      await stamp(on('a', 'old'), 'old');
      await upgrade(on('a', 'old', 'c'), 'head');
    },
    ['a', 'a2', 'c'],
  ],
  [
    'was moved by another tool in between',
    async () => {
      await upgrade(on('a', 'b', 'c', 'd'), 'a');
      await moved('c');
      await upgrade(on('a', 'b', 'c', 'd'), 'head');
    },
    ['a', 'b', 'c', 'd'],
  ],
  [
    'was moved by another tool since',
    async () => {
      await upgrade(on('a', 'b', 'c'), 'a');
      await moved('c');
    },
    ['a', 'b', 'c', 'd'],
  ],
  [
    'was moved back by another tool since',
    async () => {
      await upgrade(on('a', 'b', 'c'), 'c');
      await moved('a');
    },
    ['a', 'b', 'c'],
  ],
  [
    'went down in part, and up again',
    async () => {
      await upgrade(on('a', 'b', 'c'), 'head');
      await downgrade(on('a', 'b', 'c'), '-1');
      await asBefore();
      await downgrade(on('a', 'b', 'c'), '-1');
      await upgrade(on('a', 'b', 'c'), 'head');
    },
    ['a', 'b', 'c', 'd'],
  ],
  [
    'failed on its way',
    async () => {
      const failing = databaseOf({ id: 'a' }, { id: 'b', revises: 'a', upgrade: ['SELECT 1 / 0;'] });
      await upgrade(on('a'), 'head');
      await upgrade(migratorOn(database, { database: failing }), 'head').catch(() => {});
    },
    ['a', 'b'],
  ],
];

test.each(FINE)('there is no alarm for a database that %s', async (_what, prepare, chain) => {
  await prepare();
  expect((await readPlace(on(...chain))).wrong).toBeUndefined();
  const { gone, reordered } = await plan(on(...chain), 'upgrade', 'head');
  expect({ gone, reordered }).toEqual({});
  expect(await upgrade(on(...chain), 'head')).toMatchObject({ to: chain.at(-1) });
});

test('there is no alarm for a user who may not read the history', async () => {
  await upgrade(on('a', 'c'), 'head');
  await database.asAdministrator('ALTER SCHEMA backstop OWNER TO CURRENT_USER');
  expect(await readPlace(on('a', 'b', 'c'))).toEqual({ revision: 'c' });
});

test('a downgrade is refused if it passes the revision or stops at it, and not above', async () => {
  await upgrade(on('a', 'c', 'd', 'e'), 'head');
  const chain = ['a', 'b', 'c', 'd', 'e'];
  for (const target of ['b', 'a', 'base']) {
    await expect(plan(on(...chain), 'downgrade', target)).rejects.toMatchObject(OUT_OF_ORDER);
    await expect(downgrade(on(...chain), target)).rejects.toMatchObject(OUT_OF_ORDER);
  }
  expect(await downgrade(on(...chain), 'c')).toMatchObject({ to: 'c', revisions: ['e', 'd'] });
});

test('the status and every upgrade are refused', async () => {
  await upgrade(on('a', 'c'), 'head');
  const options = on('a', 'b', 'c');
  await expect(inspect(options)).rejects.toMatchObject(OUT_OF_ORDER);
  await expect(upgrade(options, 'head')).rejects.toMatchObject(OUT_OF_ORDER);
  await expect(upgrade(options, 'head', { dryRun: true })).rejects.toMatchObject(OUT_OF_ORDER);
  expect(await database.query('SELECT FROM backstop.history')).toHaveLength(1);
});

test('a revision that comes last, as the hint says, is applied', async () => {
  await upgrade(on('a', 'c'), 'head');
  await expect(upgrade(on('a', 'b', 'c'), 'head')).rejects.toMatchObject(OUT_OF_ORDER);
  expect(await upgrade(on('a', 'c', 'b'), 'head')).toMatchObject({ revisions: ['b'] });
});

test('an applied revision without a folder, and one in another place, are reported and do not stop a run', async () => {
  await upgrade(on('a', 'gone'), 'head');
  await upgrade(on('a', 'gone', 'b'), 'head');
  await upgrade(on('a', 'gone', 'b', 'c'), 'head');
  const options = on('b', 'a', 'c', 'd');
  expect(await plan(options, 'upgrade', 'head')).toMatchObject({ gone: ['gone'], reordered: ['a'] });
  expect(options.events.map(({ type }) => type)).toEqual(expect.arrayContaining(['gone', 'reordered']));
  expect(await upgrade(on('b', 'a', 'c', 'd'), 'head')).toMatchObject({ revisions: ['d'] });
  expect(await stamp(on('b', 'a', 'c', 'd'), 'd')).toMatchObject({ outcome: 'stamped' });
  const { gone, reordered } = await plan(on('b', 'a', 'c', 'd'), 'upgrade', 'head');
  expect({ gone, reordered }).toEqual({});
});

test('a history of 10,000 runs is read without its reports', async () => {
  await upgrade(on('a', 'b'), 'head');
  // Reports that cannot be read: the answer would fail.
  await database.query(
    `INSERT INTO backstop.history (run_id, direction, from_revision, to_revision, started_at, duration_ms, outcome, checksums, report)
     SELECT gen_random_uuid(), d, f, t, now(), 1, o, '{"b": "1"}', 'null' FROM generate_series(1, 5000),
       (VALUES (1, 'downgrade', 'b', 'a', 'downgraded'), (2, 'upgrade', 'a', 'b', 'upgraded')) AS run (n, d, f, t, o)`,
  );
  expect(await readPlace(on('a', 'b'))).toEqual({ revision: 'b' });
  expect((await readPlace(on('a', 'x', 'b'))).wrong).toMatchObject(OUT_OF_ORDER);
});

test('before the last 10,000 runs, the last stamp and the revisions applied since count', async () => {
  const run = (from: string, to: string, outcome: string, revisions: string) =>
    database.query(
      `INSERT INTO backstop.history (run_id, direction, from_revision, to_revision, started_at, duration_ms, outcome, checksums, report)
       VALUES (gen_random_uuid(), 'upgrade', $1, $2, now(), 1, $3, $4, '{}')`,
      [from, to, outcome, revisions],
    );
  await upgrade(on('a'), 'head');
  await run('a', 'b', 'stamped', '{}');
  await run('b', 'c', 'upgraded', '{"c": "1"}');
  await run('c', 'd', 'upgraded', '{"d": "1"}');
  await run('d', 'c', 'downgraded', '{"d": "1"}');
  await database.query(
    `INSERT INTO backstop.history (run_id, direction, from_revision, to_revision, started_at, duration_ms, outcome, checksums, report)
     SELECT gen_random_uuid(), 'upgrade', f, t, now(), 1, o, '{"c": "1"}', 'null' FROM generate_series(1, 5000),
       (VALUES (1, 'c', 'b', 'downgraded'), (2, 'b', 'c', 'upgraded')) AS run (n, f, t, o);
     UPDATE alembic_version SET version_num = 'c'`,
  );
  expect(await readPlace(on('a', 'b', 'c', 'd'))).toEqual({ revision: 'c' });
  // The stamp declares all below b; nothing declares a revision between b and c.
  expect(await readPlace(on('a', 'x', 'b', 'c'))).toEqual({ revision: 'c' });
  expect((await readPlace(on('a', 'b', 'x', 'c'))).wrong).toMatchObject(OUT_OF_ORDER);
});

test('a stamp at the same revision with nothing to declare is not kept', async () => {
  await upgrade(on('a'), 'head');
  expect(await stamp(on('a'), 'a')).toMatchObject({ outcome: 'nothing to do' });
});
