// Applications that keep writing while 002 comes, goes and comes again: each in its session, until it is stopped.
import { createHash } from 'node:crypto';
import pg from 'pg';
import { downgrade, upgrade } from '../../../lambda/migrator/migrator.ts';
import { migratorOn, type TestDatabase } from '../../setup/database.ts';
import { until } from '../../setup/sessions.ts';
import { inSession } from './contents.ts';

/** Sends one statement, prepared once a session as drivers do, and returns the ids of the rows that it wrote. */
type Send = (text: string) => Promise<readonly string[]>;

const WITHOUT = `INSERT INTO code_chunks (code_file_id, content, start_line, end_line)
  SELECT id, 'a chunk', 1, 1 FROM code_files ORDER BY random() LIMIT 1 RETURNING id`;
const WITH = `INSERT INTO code_chunks (code_file_id, content, start_line, end_line, project_id)
  SELECT file.id, 'a chunk', 1, 1, repository.project_id
  FROM code_files AS file JOIN repositories AS repository ON repository.id = repository_id
  ORDER BY random() LIMIT 1 RETURNING id`;
const REPOSITORY = `INSERT INTO repositories (path, indexed_at) VALUES (gen_random_uuid(), now()) RETURNING id`;
const REPOSITORY_WITH = `INSERT INTO repositories (path, indexed_at, project_id)
  VALUES (gen_random_uuid(), now(), 'default') RETURNING id`;
const TASK = `INSERT INTO tasks (id, title, version) VALUES (gen_random_uuid(), 'a task', 1) RETURNING id`;

/** The statements of docs/runbook.md, by the words that it has for them. */
const STATEMENTS: Readonly<Record<string, (send: Send) => Promise<readonly string[]>>> = {
  'INSERT into code_chunks, without project_id': (send) => send(WITHOUT),
  'INSERT into code_chunks, with project_id': (send) => send(WITH),
  'the same; after 42703 without it, after 23502 with it': async (send) => {
    for (let insert = WITH, tries = 1; ; tries++) {
      try {
        return await send(insert);
      } catch (error) {
        const code = codeOf(error);
        if (tries === 3 || (code !== '42703' && code !== '23502')) throw error;
        insert = code === '42703' ? WITHOUT : WITH;
      }
    }
  },
  'code_chunks without project_id, then repositories, in one transaction': async (send) => {
    await send('BEGIN');
    try {
      const written = await send(WITHOUT);
      await send(
        'UPDATE repositories SET indexed_at = now() WHERE path = (SELECT min(path) FROM repositories)',
      );
      await send('COMMIT');
      return written;
    } catch (error) {
      await send('ROLLBACK');
      throw error;
    }
  },
  'INSERT into repositories, without project_id': (send) => send(REPOSITORY),
  'INSERT into repositories, with project_id': (send) => send(REPOSITORY_WITH),
  'any of the nine tables': (send) => send(TASK),
  'SELECT * of code_chunks, prepared before': async (send) => {
    await send('SELECT * FROM code_chunks LIMIT 1');
    return [];
  },
};

/** Moments between two verbs have even numbers; those during a verb, odd ones. */
const MOMENTS = ['at 005', 'upgrade', 'at 002', 'downgrade', 'at 005', 'upgrade', 'at 002'] as const;

/** The end of one transaction: `works`, or the SQLSTATE of its error. */
interface Outcome {
  readonly moment: number;
  readonly result: string;
}

export interface Written {
  /** In the order in which they ended, without repetitions of the same moment and result. */
  readonly outcomes: readonly Outcome[];
  /** The ids of all rows whose COMMIT was answered. */
  readonly ids: readonly string[];
}

export interface Throughout {
  /** Names of statements. */
  readonly names: readonly string[];
  /** How many transactions each ends at least between two verbs. */
  readonly transactions: number;
  /** Whether the downgrade is automatic, as after a failed validation. */
  readonly automatic: boolean;
}

/** Upgrades, downgrades and upgrades again while each of the statements is repeated in its own session. */
export async function writeThroughout(
  db: TestDatabase,
  { names, transactions, automatic }: Throughout,
): Promise<ReadonlyMap<string, Written>> {
  let moment = 0;
  let stopped = false;
  const ended = new Map(names.map((name) => [name, 0]));
  const write = (name: string) =>
    inSession(db, async (client) => {
      const outcomes: Outcome[] = [];
      const ids: string[] = [];
      const send: Send = async (text) => {
        const name = createHash('md5').update(text).digest('hex');
        return (await client.query({ name, text })).rows.map(({ id }) => id);
      };
      while (!stopped) {
        const began = moment;
        const result = await STATEMENTS[name]?.(send).then((written) => {
          ids.push(...written);
          return 'works';
        }, codeOf);
        const outcome = { moment: began === moment ? moment : began | 1, result: String(result) };
        const last = outcomes.at(-1);
        if (last?.moment !== outcome.moment || last.result !== outcome.result) outcomes.push(outcome);
        ended.set(name, (ended.get(name) ?? 0) + 1);
      }
      return [name, { outcomes, ids }] as const;
    });
  const everyone = Promise.all(names.map(write));
  const settle = async () => {
    const before = new Map(ended);
    await until(`${transactions} transactions of each`, async () =>
      names.every((name) => (ended.get(name) ?? 0) >= (before.get(name) ?? 0) + transactions),
    );
  };
  const change = async (verb: () => Promise<unknown>) => {
    await settle();
    moment++;
    await verb();
    moment++;
  };
  try {
    await change(() => upgrade(migratorOn(db), '002'));
    await change(() => downgrade(migratorOn(db), '005', { withRows: automatic, lossless: automatic }));
    await change(() => upgrade(migratorOn(db), '002'));
    await settle();
  } finally {
    stopped = true;
    await everyone.catch(() => {});
  }
  return new Map(await everyone);
}

function codeOf(error: unknown): string {
  if (error instanceof pg.DatabaseError && error.code !== undefined) return error.code;
  throw error;
}

/** The results between two verbs, by the revision; and all results, without repetitions. */
export function resultsOf(outcomes: readonly Outcome[]) {
  const between = outcomes.filter(({ moment }) => moment % 2 === 0);
  const all = outcomes.map(({ result }) => result);
  return {
    between: between.map(({ moment, result }) => `${MOMENTS[moment]}: ${result}`),
    turns: all.filter((result, place) => result !== all[place - 1]),
  };
}

/** The {@link resultsOf} a statement that ends so at 005 and so at 002, and during a verb first as before it, then as after it. */
export function expectedResults(at005: string, at002: string): ReturnType<typeof resultsOf> {
  const there = [`at 005: ${at005}`, `at 002: ${at002}`];
  return { between: [...there, ...there], turns: at005 === at002 ? [at005] : [at005, at002, at005, at002] };
}

/** How many of these rows the database holds: chunks only if they have the project of their repository. */
export async function countKept(db: TestDatabase, ids: readonly string[]): Promise<number> {
  const [row] = await db.query(
    `SELECT count(*)::integer AS kept FROM (
       SELECT chunk.id FROM code_chunks AS chunk JOIN code_files AS file ON file.id = code_file_id
       JOIN repositories AS repository ON repository.id = repository_id
       WHERE chunk.project_id = repository.project_id
       UNION ALL SELECT id FROM repositories WHERE project_id = 'default'
       UNION ALL SELECT id FROM retired_002.tasks
     ) AS held WHERE id = ANY ($1)`,
    [ids],
  );
  return row?.kept;
}
