// `fingerprint`: the hash of the schema, its lines, and the changes since a run.
import { createHash, randomUUID } from 'node:crypto';
import { keepFingerprint } from '../../../lambda/migrator/database/fingerprint.ts';
import { makeDatabase, type TestDatabase } from '../../setup/database.ts';
import { backstop, databaseUrl, document, type Ending } from './program.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await makeDatabase('at005', {});
  expect(await run('stamp', '005')).toMatchObject({ status: 0 });
});
afterEach(() => database.drop());

const run = (...args: string[]): Promise<Ending> =>
  backstop([...args, '--database', 'codebase_mcp'], { env: { DATABASE_URL: databaseUrl(database) } });

/** A run as the history has it, with the current fingerprint unless it kept none. */
async function addRun(runId: string, { hasFingerprint = true } = {}): Promise<void> {
  const client = await database.connect('test');
  await client.query('BEGIN');
  const after = await keepFingerprint(client);
  const report = hasFingerprint ? { fingerprint: { before: after, after } } : {};
  await client.query(
    `INSERT INTO backstop.history (run_id, direction, from_revision, to_revision, started_at, duration_ms, outcome, checksums, report)
     VALUES ($1, 'upgrade', '005', '005', now(), 1, 'upgraded', '{}', $2)`,
    [runId, JSON.stringify(report)],
  );
  await client.query('COMMIT');
  await client.end();
}

test('it prints the hash alone, and with --lines the objects that it is the hash of', async () => {
  const { status, out } = await run('fingerprint');
  expect({ status, out }).toEqual({ status: 0, out: [expect.stringMatching(/^[0-9a-f]{64}$/)] });
  const { out: lines } = await run('fingerprint', '--lines');
  expect(lines.at(-1)).toBe(out[0]);
  expect(lines).toContain('column public.code_chunks.content\ttext NOT NULL');
  expect(createHash('sha256').update(lines.slice(0, -1).join('\n')).digest('hex')).toBe(out[0]);
});

test('--diff prints the changes since the run, object by object, and then the hash', async () => {
  const runId = randomUUID();
  await addRun(runId);
  expect((await run('fingerprint', '--diff', runId)).out).toHaveLength(1);
  await database.query(
    'CREATE INDEX by_content ON code_chunks (content); ALTER TABLE code_chunks ALTER content DROP NOT NULL',
  );
  const ended = await run('fingerprint', '--diff', runId.slice(0, 8).toUpperCase());
  expect(ended.out.slice(0, -1)).toEqual([
    'column public.code_chunks.content changed: text NOT NULL -> text',
    'index public.by_content added',
  ]);
  expect(document(await run('fingerprint', '--diff', runId, '--json'))).toMatchObject({
    database: 'codebase_mcp',
    hash: ended.out.at(-1),
    differences: { changes: [{ change: 'changed', after: 'text' }, { object: 'index public.by_content' }] },
  });
});

test.each([
  ['that is unknown', 'ffff', 'The history has no run whose id begins with "ffff"'],
  ['without an id', '', 'The history has no run whose id begins with ""'],
  ['of two', 'aaaa', 'The history has more than one run whose id begins with "aaaa"'],
  [
    'without a fingerprint',
    'bbbb',
    'The history has no fingerprint of the run bbbb0000-0000-4000-8000-000000000000',
  ],
])('a run %s is refused in one sentence', async (_which, start, sentence) => {
  await addRun('aaaa0000-0000-4000-8000-000000000000');
  await addRun('aaaa1111-0000-4000-8000-000000000000');
  await addRun('bbbb0000-0000-4000-8000-000000000000', { hasFingerprint: false });
  const { status, out, err } = await run('fingerprint', '--diff', start);
  expect({ status, out }).toEqual({ status: 2, out: [] });
  expect(err.join('\n')).toContain(sentence);
  expect(err.join('\n')).toContain('npx backstop log --json');
});
