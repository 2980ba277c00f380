// Whether docs/configuration.md has every key of the configuration, the databases and the input, as they are read.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { readDefinitions } from '../../lambda/migrator/revisions/databases.ts';
import { INPUT_FIELDS, parseRequest } from '../../lambda/request.ts';
import { ACTIONS, DRILLS } from '../../lambda/state.ts';
import { parseConfig } from '../../lib/config.ts';
import { schema } from '../../lib/config-schema.ts';
import { blocksOf, brokenLinks, readPage, tableOf } from './page.ts';

const PAGE = 'docs/configuration.md';
const page = readPage(PAGE);

interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema;
}

const stack = z.toJSONSchema(schema, { io: 'input' }) as JsonSchema;
const database = stack.properties?.databases?.additionalProperties;
const OBJECTS: readonly [heading: string, JsonSchema | undefined][] = [
  ['## The stack', stack],
  ['### vpc', stack.properties?.vpc],
  ['### databases', database],
  ['### iam', database?.properties?.iam],
  ['### delivery', stack.properties?.delivery],
];

const TYPES: Readonly<Record<string, string>> = {
  string: 'string',
  integer: 'whole number',
  number: 'number',
  boolean: 'true or false',
  array: 'list of strings',
  object: 'object',
};

function rowsBelow(heading: string, head = 'key'): string[][] {
  const text = page.text.slice(page.text.indexOf(`\n${heading}\n`));
  return tableOf({ text, prose: text }, head);
}

describe.each(OBJECTS)('the table below "%s" in configuration.md', (heading, object) => {
  const rows = rowsBelow(heading);
  const properties = object?.properties ?? {};

  test('has every key of the schema, in its order', () => {
    expect(rows.map(([key]) => key)).toEqual(Object.keys(properties));
  });

  test.each(rows)('says the type and the default of %s', (key = '', type, fallback) => {
    const { type: known = 'integer', default: value } = properties[key] ?? {};
    const absent = object?.required?.includes(key) ? 'needed' : 'none';
    expect([type, fallback]).toEqual([TYPES[known], value === undefined ? absent : JSON.stringify(value)]);
  });
});

const [least, iam, delivery] = blocksOf(page, 'json').map((block) => JSON.parse(block));

describe('the examples of configuration.md are accepted:', () => {
  const { databases, vpc } = least;
  const withDatabase = (database: object) => ({ ...least, databases: { codebase_mcp: database } });
  const inPlace: Readonly<Record<string, (key: string, value: unknown) => unknown>> = {
    '## The stack': (key, value) => ({ ...least, [key]: value }),
    '### vpc': (key, value) => ({ ...least, vpc: { ...vpc, [key]: value } }),
    '### databases': (key, value) => withDatabase({ ...databases.codebase_mcp, [key]: value }),
    '### iam': (key, value) => {
      const { secretArn: _, ...rest } = databases.codebase_mcp;
      return withDatabase({ ...rest, iam: { ...iam, [key]: value } });
    },
    '### delivery': (key, value) => ({ ...least, delivery: { ...delivery, [key]: value } }),
  };
  const examples = OBJECTS.flatMap(([heading]) =>
    rowsBelow(heading)
      .filter(([, , , example]) => example !== 'above' && example !== 'below')
      .map(([key = '', , , example = '']) => ({ heading, key, example })),
  );

  test.each(examples)('$key: $example, $heading', ({ heading, key, example }) => {
    const written = inPlace[heading]?.(key, JSON.parse(example));
    // The file is not in the repository: the example is refused for its absence, not its form.
    if (key === 'caBundle') expect(() => parseConfig(written)).toThrow('caBundle is "global-bundle.pem"');
    else expect(() => parseConfig(written)).not.toThrow();
  });

  test('the least that is needed, with a login by IAM and a pipeline', () => {
    const { secretArn: _, ...rest } = databases.codebase_mcp;
    expect(() => parseConfig({ ...withDatabase({ ...rest, iam }), delivery })).not.toThrow();
    expect(parseConfig(least).keepSnapshots).toBe(5);
  });
});

test('configuration.md has every key of databases.json, with its default', () => {
  const rows = rowsBelow('## The databases');
  const examples = Object.fromEntries(rows.map(([key, , , example = '']) => [key, JSON.parse(example)]));
  const needed = rows.filter(([, , fallback]) => fallback === 'needed').map(([key = '']) => key);
  const fewest = Object.fromEntries(needed.map((key) => [key, examples[key]]));
  const folder = mkdtempSync(join(tmpdir(), 'backstop-test-'));
  try {
    writeFileSync(join(folder, 'databases.json'), JSON.stringify({ all: examples, fewest }));
    const [all = {}, least = {}] = readDefinitions(folder);
    expect(all).toEqual({ name: 'all', ...examples });
    const defaults = rows.filter(([, , fallback = '']) => fallback.startsWith('['));
    expect(least).toEqual({
      name: 'fewest',
      ...fewest,
      ...Object.fromEntries(defaults.map(([key, , fallback = '']) => [key, JSON.parse(fallback)])),
    });
    writeFileSync(join(folder, 'databases.json'), JSON.stringify({ all: { ...examples, other: 1 } }));
    expect(() => readDefinitions(folder)).toThrow('other');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('the execution input in configuration.md', () => {
  const rows = rowsBelow('## The execution input', 'field');
  const deployment = {
    databases: ['codebase_mcp'],
    defaultDatabase: 'codebase_mcp',
    allowDrills: true,
    finalizeAfterDays: 0,
    maxLockSeconds: 5,
    drift: 'warn' as const,
  };

  test('has every field, in its order', () => {
    expect(rows.map(([field]) => field)).toEqual([...INPUT_FIELDS]);
  });

  test.each(rows)('has an example of %s that is accepted', (field = '', _type, _default, example = '') => {
    const input = JSON.parse(example);
    expect(parseRequest(input, deployment)).toMatchObject({ [field]: input[field] });
  });

  test('names every action and every drill', () => {
    const meaning = (field: string) => rows.find(([name]) => name === field)?.at(-1) ?? '';
    for (const action of ACTIONS) expect(meaning('action')).toContain(action);
    for (const drill of DRILLS) expect(meaning('drill')).toContain(drill);
  });
});

test('the links of configuration.md lead somewhere', () => {
  expect(brokenLinks(page, PAGE)).toEqual([]);
});
