// Whether docs/architecture.md describes the deployed stack, and whether the picture shows this state machine.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { draw, PICTURE } from '../../bin/draw/draw.ts';
import { type Definition, tell } from '../../bin/draw/story.ts';
import { BACK, STRAIGHT, WORDS } from '../../bin/draw/words.ts';
import { DEFAULT_BOUNDS } from '../../lambda/migrator/model/bounds.ts';
import { parseConfig } from '../../lib/config.ts';
import { ROOT } from '../../lib/paths.ts';
import {
  EXECUTION_LIMIT_HOURS,
  functionSeconds,
  LAMBDA_LIMIT_SECONDS,
  taskSeconds,
} from '../../lib/timeouts.ts';
import { deployed } from '../machine/twin.ts';
import { brokenLinks, readPage, tableOf } from './page.ts';

const PAGE = 'docs/architecture.md';
const page = readPage(PAGE);
const definition = deployed.definition as unknown as Definition;
const picture = readFileSync(PICTURE, 'utf8');

describe('the picture', () => {
  test('is of the state machine that is deployed; npm run draw draws it again', async () => {
    if ((await draw(definition)) !== picture) {
      throw new Error('docs/state-machine.svg is of another state machine.\nHINT:  npm run draw');
    }
  });

  test('has every state that does something, and every end', () => {
    const names = Object.entries(definition.States).filter(([, { Type }]) => Type !== 'Pass');
    expect(names.map(([name]) => name).filter((name) => !picture.includes(`>${name}</text>`))).toEqual([]);
  });

  test('has words for no way that is not there', () => {
    const { edges, nodes } = tell(definition);
    const words = Object.values(WORDS).flatMap((ways) => Object.values(ways));
    expect(
      edges
        .map((edge) => edge.words)
        .filter(Boolean)
        .sort(),
    ).toEqual(words.sort());
    const known = nodes.flatMap(({ lines }) => lines);
    for (const turns of [STRAIGHT, BACK]) {
      for (const [from, to] of Object.entries(turns))
        expect(known).toEqual(expect.arrayContaining([from, to]));
    }
  });

  test('leads straight to success, and back to where the database was', () => {
    const { edges } = tell(definition);
    const ends = (course: string) => edges.filter((edge) => edge.course === course).map(({ to }) => to);
    expect(ends('straight')).toContain('Succeeded');
    expect(ends('back')).toContain('downgraded');
  });

  test('is small, and has a title and a description for screen readers', () => {
    expect(Buffer.byteLength(picture)).toBeLessThan(50_000);
    expect(picture).toMatch(/<title id="title">.+<\/title>\n<desc id="description">.+<\/desc>/);
  });
});

describe('in the picture,', () => {
  const groups = [
    ...picture.matchAll(/<g id="(?:node|edge)\d+" class="(node|edge) ([\w-]+)">([\s\S]*?)<\/g>/g),
  ];
  const textsIn = (group: string) => {
    const texts = group.matchAll(
      /<text [^>]*text-anchor="(\w+)" x="([-\d.]+)" y="([-\d.]+)"[^>]*font-size="([\d.]+)"[^>]*>([^<]+)</g,
    );
    return [...texts].map(([, anchor, x, y, size, written = '']): Box => {
      const text = written.replaceAll('&#160;', ' ').trim();
      // On average, a letter of Helvetica is not half as wide as its font is high.
      const width = text.length * Number(size) * 0.46;
      const left = Number(x) - (anchor === 'middle' ? width / 2 : 0);
      return { text, left, right: left + width, top: Number(y) - Number(size) * 0.7, bottom: Number(y) };
    });
  };
  const pointsOf = (path: string) =>
    [...path.matchAll(/([-\d.]+),([-\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);

  test('no text reaches out of its box', () => {
    const nodes = groups.filter(([, what, kind]) => what === 'node' && kind !== 'legend');
    expect(nodes.length).toBeGreaterThan(20);
    for (const [, , , group = ''] of nodes) {
      const points = pointsOf(/(?:points|d)="([^"]+)"/.exec(group)?.[1] ?? '');
      const xs = points.map(([x = 0]) => x);
      const ys = points.map(([, y = 0]) => y);
      for (const { text, left, right, top, bottom } of textsIn(group)) {
        const fits =
          left > Math.min(...xs) &&
          right < Math.max(...xs) &&
          top > Math.min(...ys) &&
          bottom < Math.max(...ys);
        expect({ text, fits }).toEqual({ text, fits: true });
      }
    }
  });

  test('no words lie on a way', () => {
    const edges = groups.filter(([, what]) => what === 'edge').map(([, , , group = '']) => group);
    const words = edges.flatMap(textsIn);
    expect(words.length).toBeGreaterThan(10);
    const points = edges.flatMap((group) => along(pointsOf(/ d="([^"]+)"/.exec(group)?.[1] ?? '')));
    const crossed = words.filter(({ left, right, top, bottom }) =>
      points.some(([x, y]) => x > left && x < right && y > top && y < bottom),
    );
    expect(crossed.map(({ text }) => text)).toEqual([]);
  });

  test('every kind of state and way has its colors, in a light and in a dark page', () => {
    const [light = '', dark = ''] = picture.split('prefers-color-scheme:dark');
    const classes = new Set(groups.map(([, what, kind]) => `.${what}.${kind}`));
    const missing = [...classes].filter(
      (name) => !name.endsWith('.legend') && !(light.includes(`${name} `) && dark.includes(`${name} `)),
    );
    expect(missing).toEqual([]);
  });
});

/** A text in the picture, in points. */
interface Box {
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Points along a path of Bézier curves: a start, and three points for each curve after it. */
function along(path: readonly (readonly number[])[]): [number, number][] {
  const curves = Array.from({ length: (path.length - 1) / 3 }, (_, index) =>
    path.slice(3 * index, 3 * index + 4),
  );
  return curves.flatMap((curve) =>
    Array.from({ length: 201 }, (_, step): [number, number] => {
      const t = step / 200;
      const weights = [(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t ** 2 * (1 - t), t ** 3];
      const sum = (axis: number) =>
        weights.reduce((total, weight, index) => total + weight * (curve[index]?.[axis] ?? 0), 0);
      return [sum(0), sum(1)];
    }),
  );
}

test('its table of functions has each of them, where it runs', () => {
  const rows = tableOf(page, 'function').map(([name = '', where]) => [name, where]);
  const functions = [...deployed.functions.values()].map(({ name, environment }) => {
    // The name of its construct, if any, precedes it.
    const [own = ''] = /[A-Z][a-z]+$/.exec(name) ?? [];
    return [own.toLowerCase(), 'BACKSTOP_MIGRATIONS' in environment ? 'in the VPC' : 'outside'];
  });
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(functions));
  expect(rows.map(([name]) => name).sort()).toEqual(Object.keys(functionSeconds(settings)).sort());
});

const { context } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'));
const settings = parseConfig(context.backstop);

test('its time limits are the defaults, from inside to outside', () => {
  const seconds = functionSeconds(settings);
  const limits = tableOf(page, 'what').map(([, limit]) => limit);
  expect(limits).toEqual([
    `${DEFAULT_BOUNDS.lockTimeoutMs / 1000} s`,
    `${settings.lockWaitSeconds} s`,
    `${settings.transactionSeconds} s`,
    `${seconds.migrate} s`,
    `${taskSeconds(seconds.migrate)} s`,
    `${LAMBDA_LIMIT_SECONDS} s`,
    `${settings.snapshotTimeoutMinutes} min`,
    `${EXECUTION_LIMIT_HOURS} h`,
  ]);
  expect([seconds.finalize, seconds.downgrade]).toEqual([seconds.migrate, seconds.migrate]);
});

const ENGINE = 'lambda/migrator/';
const ROOMS = ['run/', 'database/', 'session/', 'revisions/', 'grammar/', 'model/']
  .map((room) => ENGINE + room)
  .join(' ');
const OPEN_ROOMS = ['', 'session/', 'revisions/', 'grammar/', 'model/']
  .map((room) => ENGINE + room)
  .join(' ');

describe('imports go where it says:', () => {
  const rows = tableOf(page, 'folder');
  const folders = rows.map(([folder = '']) => folder);
  const folderOf = (path: string) =>
    folders.filter((folder) => path.startsWith(folder)).sort((a, b) => b.length - a.length)[0];

  test.each(rows)('%s', (folder = '', _, mayImport = '') => {
    const named = mayImport
      .replace("the engine's open rooms", OPEN_ROOMS)
      .replace('every room of the engine', ROOMS);
    const allowed = [folder, ...folders.filter((other) => named.split(/[ ,:]+/).includes(other))];
    const files = sourcesIn(folder).filter((file) => folderOf(file) === folder);
    const strays = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => !allowed.includes(folderOf(target) ?? ''))
        .map((target) => `${file} imports ${target}`),
    );
    expect(files.length).toBeGreaterThan(0);
    expect(strays).toEqual([]);
  });

  test('and the engine imports no AWS', () => {
    const packages = sourcesIn('lambda/migrator/').flatMap((file) =>
      [...readFileSync(join(ROOT, file), 'utf8').matchAll(/from '([^.'][^']*)'/g)].map(([, name]) => name),
    );
    expect(packages.filter((name) => /aws|cdk|constructs/.test(name ?? ''))).toEqual([]);
  });
});

function sourcesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && statSync(join(ROOT, folder, file)).isFile())
    .map((file) => join(folder, file));
}

function importsOf(file: string): string[] {
  const imports = readFileSync(join(ROOT, file), 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g);
  return [...imports].map(([, path = '']) => normalize(join(file, '..', path)));
}

test('its links lead somewhere', () => {
  expect(brokenLinks(page, PAGE)).toEqual([]);
});
