// Whether the examples of docs/revisions.md are true: the good ones are read and run, the bad ones refused as shown.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { validate } from '../../lambda/migrator/inspect.ts';
import { downgrade, finalize, upgrade } from '../../lambda/migrator/migrator.ts';
import { BackstopError } from '../../lambda/migrator/model/errors.ts';
import { type Chain, readChain } from '../../lambda/migrator/revisions/chain.ts';
import { requireRunnable } from '../../lambda/migrator/revisions/runnable.ts';
import { makeDatabase, migratorOn, type TestDatabase } from '../setup/database.ts';
import { reader } from '../setup/revisions.ts';
import { brokenLinks, readPage } from './page.ts';

const PAGE = 'docs/revisions.md';
const page = readPage(PAGE);
const SECOND = '002_customer_email';

interface Example {
  readonly kind: 'good' | 'bad';
  /** From the folder of the revisions. */
  readonly path: string;
  readonly sql: string;
  /** The message of a bad one. */
  readonly message: string;
}

/** The examples below each heading. */
const sections = page.text.split(/^(?=##+ )/m).map((text) => ({
  heading: /^##+ (.*)$/m.exec(text)?.[1] ?? 'the whole revision',
  examples: [
    ...text.matchAll(/^```sql (good|bad) (\S+)\n([\s\S]*?)^```$(?:\n\n```text\n([\s\S]*?)\n```$)?/gm),
  ].map(
    ([, kind, path = '', sql = '', message = '']): Example => ({
      kind: kind === 'good' ? 'good' : 'bad',
      path: path.startsWith('001_') ? path : `${SECOND}/${path}`,
      sql,
      message,
    }),
  ),
}));
const all = sections.flatMap(({ examples }) => examples);

/** The chain that every example is a part of. */
const BASE: Readonly<Record<string, string>> = {
  '001_customers/upgrade.sql': `-- Make customers and orders
-- Revision: 001
-- Revises: <base>
-- Create Date: 2026-11-26

-- step: Making the tables
CREATE TABLE public.customers (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE public.orders (id integer PRIMARY KEY, customer_id integer REFERENCES public.customers);
CREATE TABLE public.old_customers (id integer PRIMARY KEY);
INSERT INTO public.customers VALUES (1, 'ada');
`,
  '001_customers/downgrade.sql': `-- Drop customers and orders
-- Revision: 001

-- step: Dropping the tables
DROP TABLE public.orders, public.customers, public.old_customers;
`,
  ...Object.fromEntries((sections[0]?.examples ?? []).filter(isGood).map(({ path, sql }) => [path, sql])),
};

function isGood({ kind }: Example): boolean {
  return kind === 'good';
}

/** A whole file takes the place of the one of the base; keys alone take their place in its header. */
function withExample(
  files: Readonly<Record<string, string>>,
  { path, sql }: Example,
): Record<string, string> {
  // A misspelled key in an example. cspell:ignore stpe
  if (/^(-- (step|stpe|check|gather):|[A-Z])/m.test(sql)) return { ...files, [path]: sql };
  const [, key = ''] = /^-- ([\w ]+):/.exec(sql) ?? [];
  const before = files[path] ?? '';
  const line = new RegExp(`^-- ${key}:.*\n`, 'm');
  const after = line.test(before)
    ? before.replace(line, sql)
    : before.replace(/^-- Create Date:.*\n/m, `$&${sql}`);
  return { ...files, [path]: after };
}

/** Reads the chain of these files. Throws RevisionInvalid. */
function read(files: Readonly<Record<string, string>>): Chain {
  const folder = mkdtempSync(join(tmpdir(), 'backstop-test-revisions-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const chain = readChain(folder, reader);
    for (const direction of ['upgrade', 'downgrade'] as const) requireRunnable(chain.revisions, direction);
    return chain;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function optionsOn(database: TestDatabase, chain: Chain) {
  const definition = { name: 'shop', folder: 'shop', urlVariable: 'DATABASE_URL', extensions: [] };
  return migratorOn(database, { database: { definition, chain } });
}

async function inDatabase<T>(work: (database: TestDatabase) => Promise<T>): Promise<T> {
  const database = await makeDatabase('empty');
  try {
    return await work(database);
  } finally {
    await database.drop();
  }
}

const runnable = sections.filter(({ examples }) => examples.some(isGood));

test.each(runnable)(
  'the good examples of "$heading" run up and down, and their checks hold',
  ({ examples }) =>
    inDatabase(async (database) => {
      const chain = read(examples.filter(isGood).reduce(withExample, BASE));
      const options = optionsOn(database, chain);
      await upgrade(options, 'head');
      const { checks } = await validate(options, 'after-upgrade');
      expect(checks.length).toBeGreaterThan(0);
      expect(checks.filter(({ passed }) => !passed)).toEqual([]);
      await downgrade(options, '001');
      await upgrade(options, 'head');
      await finalize(options);
    }),
);

test.each(all.filter((example) => !isGood(example)))(
  'a bad example is refused: $message',
  async (example) => {
    const refusal = await refusalOf(withExample(BASE, example));
    expect(refusal).toBeInstanceOf(BackstopError);
    expect(refusal).toMatchObject({ message: example.message });
  },
);

/** The error of reading the files, or of running them. */
async function refusalOf(files: Readonly<Record<string, string>>): Promise<unknown> {
  let chain: Chain;
  try {
    chain = read(files);
  } catch (error) {
    return error;
  }
  return inDatabase((database) =>
    upgrade(optionsOn(database, chain), 'head').then(
      () => undefined,
      (error: unknown) => error,
    ),
  );
}

test('every key and every directive has a good and a bad example', () => {
  const described = sections.filter(({ heading }) => /^(-- |[A-Z]\w+( [A-Z]\w+)?$)/.test(heading));
  const keys = described.filter(({ examples }) => examples.length > 0);
  expect(keys.length).toBeGreaterThan(12);
  for (const { heading, examples } of keys) {
    expect([heading, ...new Set(examples.map(({ kind }) => kind))]).toEqual([heading, 'good', 'bad']);
  }
});

test('the links of revisions.md lead somewhere', () => {
  expect(brokenLinks(page, PAGE)).toEqual([]);
});
