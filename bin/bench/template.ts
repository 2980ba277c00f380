// The measured databases: a filled template for each size, and a fresh copy of it for each run.
import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { Client } from 'pg';
import { formatError } from '../../lambda/migrator/model/errors.ts';
import type { Database } from '../../lambda/migrator/revisions/databases.ts';
import type { ConnectionSettings } from '../../lambda/migrator/session/settings.ts';
import { copyTables, type DataProgress } from '../../lib/twin/data/generate.ts';
import { codebaseMcpTables } from '../../lib/twin/data/tables.ts';
import { withClient } from '../../lib/twin/server/client.ts';
import type { Credentials, LocalServer } from '../../lib/twin/server.ts';
import { prepareDatabase } from '../../lib/twin/twin.ts';

const REPOSITORIES = 100;
/** Space for the template, one copy, and the write-ahead log of filling each and of an UPDATE of every row. */
const BYTES_A_CHUNK = 6_000;

/** A database at 005 without connections. */
export interface Template {
  readonly name: string;
  readonly owner: Credentials;
  readonly chunks: number;
}

/** A copy: its name, and how its owner connects to it. */
export interface Copy {
  readonly name: string;
  readonly settings: ConnectionSettings;
}

/**
 * Refuses to begin what the disk cannot hold.
 *
 * @throws Error in the shape of the engine's errors
 */
export async function requireSpace(chunks: number, folder = tmpdir()): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const [free, needed] = [bavail * bsize, chunks * BYTES_A_CHUNK];
  if (free >= needed) return;
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new Error(
    formatError({
      message: `${chunks} chunks need ${gigabytes(needed)} in ${folder}, and ${gigabytes(free)} are free`,
      hint: 'Make room there, name another folder in TMPDIR, or ask for less with --sizes.',
    }),
  );
}

/**
 * Fills a database of that size with about 1 kB a chunk. Embeddings stay out of it: revision 002 does not touch them,
 * and they would make each copy four times as large.
 */
export async function makeTemplate(
  server: LocalServer,
  database: Database,
  name: string,
  chunks: number,
  progress: DataProgress,
): Promise<Template> {
  const size = { repositories: REPOSITORIES, chunksPerRepository: chunks / REPOSITORIES, seed: 1 };
  const tables = codebaseMcpTables(size).filter(({ table }) => table !== 'embeddings');
  const content = {
    description: '',
    insert: (client: Client, told: DataProgress) => copyTables(client, tables, told),
  };
  const { user, password } = await prepareDatabase(server, name, database, content, progress);
  await withClient(server, name, settle);
  return { name, owner: { user, password }, chunks };
}

/** Whether the server has the real pgvector; the substitute has no index methods. */
export async function hasHnsw(server: LocalServer, template: Template): Promise<boolean> {
  return withClient(server, template.name, async (client) => {
    const { rows } = await client.query("SELECT FROM pg_am WHERE amname = 'hnsw'");
    return rows.length > 0;
  });
}

/** Gives code_chunks a vector in each row and an HNSW index on it, as in many real databases. */
export async function addVectors(server: LocalServer, { name, owner }: Template): Promise<void> {
  await withClient({ ...server, ...owner }, name, async (client) => {
    await client.query('ALTER TABLE code_chunks ADD COLUMN embedding vector(768)');
    // It refers to the row, so that each row has a different vector.
    await client.query(
      `UPDATE code_chunks SET embedding = (
         SELECT array_agg(random() + 0 * start_line) FROM generate_series(1, 768))::vector(768)`,
    );
    await client.query('VACUUM FULL code_chunks');
    await client.query(
      'CREATE INDEX idx_code_chunks_embedding ON code_chunks USING hnsw (embedding vector_cosine_ops)',
    );
  });
  await withClient(server, name, settle);
}

/** Does the work on a fresh copy, and drops it. */
export async function onCopy<T>(
  server: LocalServer,
  { name, owner }: Template,
  address: ConnectionSettings,
  work: (copy: Copy) => Promise<T>,
): Promise<T> {
  const copy = `${name}_copy`;
  await server.createDatabase(copy, name);
  try {
    await withClient(server, copy, async (administrator) => {
      await administrator.query(`ALTER DATABASE ${copy} OWNER TO ${owner.user}`);
      await checkpoint(administrator);
    });
    return await work({ name: copy, settings: { ...address, ...owner, database: copy } });
  } finally {
    await server.dropDatabase(copy);
  }
}

/** Does what autovacuum and the checkpointer would otherwise do during a run. */
async function settle(client: Client): Promise<void> {
  await client.query('VACUUM ANALYZE');
  await checkpoint(client);
}

/** On a managed server the privilege may be missing; then the server decides when to do it. */
async function checkpoint(client: Client): Promise<void> {
  await client.query('CHECKPOINT').catch((error: { code?: string }) => {
    if (error.code !== '42501') throw error;
  });
}
