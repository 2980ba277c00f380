// Rows for all thirteen tables of a codebase_mcp database at revision 005, as after some years of use.
import { featureTables } from './feature-tables.ts';
import { Random } from './random.ts';
import { moment, NAMES, type TableData, THINGS } from './table-data.ts';

export interface DataSize {
  readonly repositories: number;
  readonly chunksPerRepository: number;
  readonly seed: number;
}

const CHUNKS_PER_FILE = 10;
const DIMENSIONS = 768;

const LANGUAGES = ['python', 'typescript', 'go', 'rust', 'java'] as const;
/** All tables, each after those it refers to. */
export function codebaseMcpTables({ repositories, chunksPerRepository, seed }: DataSize): TableData[] {
  const random = new Random(seed);
  const chunks = repositories * chunksPerRepository;
  const files = Math.ceil(chunks / CHUNKS_PER_FILE);
  // Making a new vector for every chunk would take longer than storing them: a few are used for all.
  const vectors = Array.from({ length: Math.min(32, chunks) }, () => vector(random));
  return [
    {
      table: 'repositories',
      columns: ['id', 'path', 'indexed_at', 'metadata'],
      count: repositories,
      row: (i) => [
        random.uuid('repository', i),
        `/srv/repositories/team-${i % 12}/service-${i}`,
        moment(i),
        '{"branch": "main"}',
      ],
    },
    {
      table: 'code_files',
      columns: ['id', 'repository_id', 'path', 'language', 'content_hash', 'indexed_at'],
      count: files,
      row: (i) => [
        random.uuid('file', i),
        random.uuid('repository', Math.floor((i * CHUNKS_PER_FILE) / chunksPerRepository)),
        `src/${random.pick(NAMES)}/${random.pick(THINGS)}_${i}.src`,
        random.pick(LANGUAGES),
        random.uuid('hash', i).replaceAll('-', ''),
        moment(i),
      ],
    },
    {
      table: 'code_chunks',
      columns: ['id', 'code_file_id', 'content', 'start_line', 'end_line', 'created_at'],
      count: chunks,
      row: (i) => {
        const line = 1 + (i % CHUNKS_PER_FILE) * 30;
        const file = random.uuid('file', Math.floor(i / CHUNKS_PER_FILE));
        return [random.uuid('chunk', i), file, source(random, i), line, line + 29, moment(i)];
      },
    },
    {
      table: 'embeddings',
      columns: ['id', 'chunk_id', 'vector', 'created_at'],
      count: chunks,
      row: (i) => [random.uuid('embedding', i), random.uuid('chunk', i), random.pick(vectors), moment(i)],
    },
    ...featureTables(random),
  ];
}

/** About 1 kB of something that looks like source code. */
function source(random: Random, index: number): string {
  const lines = [`def ${random.pick(NAMES)}_${random.pick(THINGS)}_${index}(self, ${random.pick(THINGS)}):`];
  while (lines.length < 18) {
    lines.push(
      `    ${random.pick(THINGS)}_${random.below(1000)} = self.${random.pick(NAMES)}(${random.pick(THINGS)}, ${random.next()})`,
    );
  }
  return lines.join('\n');
}

function vector(random: Random): string {
  return `[${Array.from({ length: DIMENSIONS }, () => (random.next() * 2 - 1).toFixed(4)).join(',')}]`;
}
