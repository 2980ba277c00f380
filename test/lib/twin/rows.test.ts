// Rows by the catalogue: they fit whatever the tables demand, and the same seed makes the same.
import { insertRows } from '../../../lib/twin/data/rows.ts';
import { makeDatabase, type TestDatabase } from '../../setup/database.ts';

/** One of every demand; each of the first two tables refers to the other, and the third to itself. */
const TABLES = `
  CREATE TABLE author (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email varchar(20) NOT NULL UNIQUE,
    role varchar(10) NOT NULL DEFAULT 'reader' CHECK (role IN ('reader', 'writer')),
    currency varchar(3) NOT NULL,
    nickname text,
    books_total integer GENERATED ALWAYS AS (books * 2) STORED,
    books integer NOT NULL,
    code varchar(10) NOT NULL DEFAULT 'new' UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE TABLE book (
    id bigint PRIMARY KEY,
    author_id uuid NOT NULL REFERENCES author,
    edition integer NOT NULL DEFAULT 1,
    price numeric(10, 6) NOT NULL,
    weight double precision,
    printed boolean NOT NULL,
    tags varchar[] NOT NULL,
    readers uuid[],
    details jsonb NOT NULL,
    UNIQUE (author_id, edition)
  );
  ALTER TABLE author ADD favorite_id bigint NOT NULL REFERENCES book;
  CREATE TABLE "Chapter one" (id integer PRIMARY KEY, "the parent" integer NOT NULL REFERENCES "Chapter one");
  CREATE UNIQUE INDEX ON author (nickname);
`;
const NAMES = ['author', 'book', '"Chapter one"'];

let db: TestDatabase;
beforeEach(async () => {
  db = await makeDatabase('empty', { extension: false });
});
afterEach(() => db.drop());

/** Creates the tables again, fills them, and returns their rows. */
async function fill(seed: number): Promise<unknown[][]> {
  const client = await db.connect('test');
  try {
    await client.query(`DROP TABLE IF EXISTS ${NAMES} CASCADE; ${TABLES}`);
    await insertRows(client, seed, 50);
    const contents = [];
    for (const name of NAMES) contents.push((await client.query(`SELECT * FROM ${name} ORDER BY id`)).rows);
    return contents;
  } finally {
    await client.end();
  }
}

test('every table has as many as asked for, and the same seed makes the same again', async () => {
  const first = await fill(7);
  expect(first.map((rows) => rows.length)).toEqual([50, 50, 50]);
  expect(await fill(7)).toEqual(first);
  expect(await fill(8)).not.toEqual(first);
});

test('a database without tables stays as it is', async () => {
  const client = await db.connect('test');
  const filling = insertRows(client, 1, 5).finally(() => client.end());
  await expect(filling).resolves.toBeUndefined();
});

test('some rows lack what they may lack', async () => {
  await fill(1);
  const [{ weights }] = (await db.query('SELECT count(weight)::int AS weights FROM book')) as [
    { weights: number },
  ];
  expect(weights).toBeGreaterThan(0);
  expect(weights).toBeLessThan(50);
});

test('the error names a column of an unsupported type', async () => {
  await db.query('CREATE TABLE place (id integer PRIMARY KEY, spot point NOT NULL)');
  const client = await db.connect('test');
  const filling = insertRows(client, 1, 5).finally(() => client.end());
  await expect(filling).rejects.toThrow('No value is known for place.spot, which is of type point');
});
