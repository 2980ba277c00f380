// Reports of bounded size: whatever a run did, its report is small, and says how much of it is left out.
import fc from 'fast-check';
import { bounded, countOf, cut, Ends, textsOf } from '../../../../lambda/migrator/model/bounded.ts';

const LARGEST = 100_000;
const sizeOf = (report: object) => Buffer.byteLength(JSON.stringify(report));
const names = (count: number) => Array.from({ length: count }, (_, index) => `public.table_${index + 1}`);

test('a small report is as it was', () => {
  const report = {
    runId: 'x',
    created: names(100),
    at: new Date(0),
    rows: [{ count: 1 }],
    estimate: undefined,
  };
  expect(bounded(report)).toEqual(report);
});

test('a long list keeps its first and last entries, and says how many are between', () => {
  const report = bounded({ created: names(40_000), dropped: [] as string[] });
  expect(report).toMatchObject({ omitted: { created: 39_900 } });
  expect([report.created[0], report.created[49], report.created[50], report.created.at(-1)]).toEqual([
    'public.table_1',
    'public.table_50',
    'public.table_39951',
    'public.table_40000',
  ]);
  expect([countOf(report, 'created'), countOf(report, 'dropped')]).toEqual([40_000, 0]);
  const texts = textsOf(report, 'created');
  expect(texts.slice(49, 52)).toEqual(['public.table_50', '… and 39,900 more', 'public.table_39951']);
});

test('a table of names is shortened like a list', () => {
  const exclusiveMs = Object.fromEntries(names(2_000).map((name) => [name, 1]));
  const report = bounded({ exclusiveMs });
  expect(report).toMatchObject({ omitted: { exclusiveMs: 1_900 } });
  expect(Object.keys(report.exclusiveMs)).toHaveLength(100);
});

test('a list that is shortened twice has the same count', () => {
  const once = bounded({ created: names(1_000) });
  const twice = bounded(once, 1_000);
  expect(countOf(twice, 'created')).toBe(1_000);
  expect(twice.created.length).toBeLessThan(100);
  expect([twice.created[0], twice.created.at(-1)]).toEqual(['public.table_1', 'public.table_1000']);
});

test.each(['a', 'ü', '😀', '\u0001', '"', '\u2028'])(
  'no report is above 100 KB, with texts of %j',
  (letter) => {
    const text = letter.repeat(100_000);
    const step = {
      title: text,
      notices: Array.from({ length: 300 }, () => ({ severity: 'NOTICE', message: text })),
      locks: Array.from({ length: 300 }, () => ({ relation: text, mode: text })),
      rewritten: Array.from({ length: 300 }, () => text),
    };
    const report = {
      steps: Array.from({ length: 200 }, () => step),
      created: Array.from({ length: 300 }, () => text),
      rows: Array.from({ length: 300 }, () => Object.fromEntries(names(60).map((name) => [name, text]))),
    };
    expect(sizeOf(bounded(report))).toBeLessThanOrEqual(LARGEST);
  },
  60_000,
);

test('a text is cut between characters, because jsonb takes no half ones', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 20 }), (text, characters) => {
      const short = cut(text, characters);
      expect(short.isWellFormed()).toBe(true);
      expect(short.length).toBeLessThanOrEqual(characters);
      if (text.length <= characters) expect(short).toBe(text);
    }),
  );
});

test('a list that grows keeps its ends, as if it had been cut when it was whole', () => {
  fc.assert(
    fc.property(fc.nat(50), (count) => {
      const list = new Ends<number>(10);
      const whole = Array.from({ length: count }, (_, index) => index);
      for (const entry of whole) list.push(entry);
      expect(list.entries).toEqual(count <= 10 ? whole : [...whole.slice(0, 5), ...whole.slice(-5)]);
      expect(list.omitted).toBe(Math.max(0, count - 10));
    }),
  );
});
