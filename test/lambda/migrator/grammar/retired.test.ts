// The calls of backstop.retire whose table is known from the text, and so is locked before the first step.
import type { Node } from '@pgsql/types';
import { loadModule, parseSync } from 'libpg-query';
import { effectsOf } from '../../../../lambda/migrator/grammar/effects.ts';

beforeAll(() => loadModule());

const effectsIn = (sql: string) =>
  (parseSync(sql).stmts ?? []).flatMap(({ stmt }: { stmt?: Node }) => effectsOf(stmt as Node));
const lock = (relation: string, retires: string) => ({
  relation,
  mode: 'AccessExclusiveLock',
  owned: true,
  retires,
});

test.each([
  ["SELECT backstop.retire('public.tasks')", [lock('"public"."tasks"', 'table')]],
  [`SELECT backstop.retire(' App . "Odd ""Name"" " ')`, [lock('"app"."Odd ""Name"" "', 'table')]],
  [
    "SELECT backstop.retire_column('public.a', 'x'), backstop.retire('public.b')",
    [lock('"public"."a"', 'column'), lock('"public"."b"', 'table')],
  ],
  ...["'public.a', 'public.b'", "VARIADIC ARRAY['public.a', 'public.b']"].map((names): [string, object[]] => [
    `SELECT backstop.retire(${names})`,
    [lock('"public"."a"', 'table'), lock('"public"."b"', 'table')],
  ]),
  ["SELECT backstop.retire('public.a', name)", []],
  ["SELECT backstop.retire(VARIADIC ARRAY['public.a', name])", []],
  ['SELECT backstop.retire(VARIADIC names)', []],
  ["SELECT backstop.retire('public.' || 'tasks')", []],
  ["SELECT backstop.retire('tasks')", []],
  [
    "SELECT backstop.retire('public.a'), backstop.retire(name) FROM names",
    [{ relation: '"names"', mode: 'AccessShareLock' }],
  ],
  ["SELECT other.retire('public.tasks')", []],
])('%s', (sql, effects) => {
  expect(effectsIn(sql)).toEqual(effects);
});
