// Rows for all thirteen tables of a codebase_mcp database at revision 005, as after some years of use.
import { Random } from './random.ts';

export type Value = string | number | boolean | null;

/** The rows of one table, made one by one while they are copied. */
export interface TableData {
  readonly table: string;
  readonly columns: readonly string[];
  readonly count: number;
  /** Called once for each index from 0 to `count` - 1, in order. */
  row(index: number): readonly Value[];
}

export interface DataSize {
  readonly repositories: number;
  readonly chunksPerRepository: number;
  readonly seed: number;
}

const CHUNKS_PER_FILE = 10;
const DIMENSIONS = 768;
const TASKS = 500;
const VENDORS = 25;
const DEPLOYMENTS = 200;

const LANGUAGES = ['python', 'typescript', 'go', 'rust', 'java'] as const;
const NAMES = [
  'parse',
  'index',
  'search',
  'embed',
  'merge',
  'resolve',
  'collect',
  'walk',
  'score',
  'rank',
] as const;
const THINGS = [
  'token',
  'chunk',
  'file',
  'node',
  'query',
  'vector',
  'result',
  'batch',
  'cursor',
  'scope',
] as const;

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

/** The nine tables that revision 002 retires. */
function featureTables(random: Random): TableData[] {
  return [
    {
      table: 'tasks',
      columns: [
        'id',
        'title',
        'description',
        'status',
        'version',
        'item_type',
        'parent_id',
        'path',
        'depth',
        'metadata',
        'created_at',
        'updated_at',
        'created_by',
      ],
      count: TASKS,
      row: (i) => {
        const parent = i < 20 ? null : random.uuid('task', i % 20);
        return [
          random.uuid('task', i),
          `${random.pick(NAMES)} the ${random.pick(THINGS)} ${i}`,
          i % 3 === 0 ? null : `So that each ${random.pick(THINGS)} is found.`,
          random.pick(['need to be done', 'in-progress', 'complete']),
          1 + (i % 4),
          i < 20 ? 'project' : random.pick(['session', 'task', 'research']),
          parent,
          parent === null ? '/' : `/${parent}/`,
          parent === null ? 0 : 1,
          i % 5 === 0 ? null : `{"estimate": ${random.below(13)}}`,
          moment(i),
          moment(i + 1),
          random.pick(['bob', 'system', 'alice']),
        ];
      },
    },
    {
      table: 'vendor_extractors',
      columns: [
        'id',
        'version',
        'name',
        'status',
        'extractor_version',
        'metadata',
        'created_at',
        'updated_at',
        'created_by',
      ],
      count: VENDORS,
      row: (i) => [
        random.uuid('vendor', i),
        1,
        `Vendor ${i}`,
        random.pick(['operational', 'broken']),
        `1.${i}.0`,
        '{"formats": ["pdf"]}',
        moment(i),
        moment(i + 1),
        'system',
      ],
    },
    {
      table: 'deployment_events',
      columns: ['id', 'deployed_at', 'commit_hash', 'metadata', 'created_at', 'created_by'],
      count: DEPLOYMENTS,
      row: (i) => [random.uuid('deployment', i), moment(i), commit(random, i), '{"pr": 1}', moment(i), 'ci'],
    },
    {
      table: 'project_configuration',
      // The id is given: 1 is the only one allowed, and the sequence may have gone on when rows were taken back.
      columns: ['id', 'active_context_type', 'current_session_id', 'git_branch', 'updated_at', 'updated_by'],
      count: 1,
      row: () => [1, 'feature', random.uuid('task', 0), 'main', moment(0), 'system'],
    },
    {
      table: 'future_enhancements',
      columns: [
        'id',
        'title',
        'description',
        'priority',
        'status',
        'target_quarter',
        'created_at',
        'updated_at',
        'created_by',
      ],
      count: 40,
      row: (i) => [
        random.uuid('enhancement', i),
        `Enhancement ${i}`,
        `Faster ${random.pick(NAMES)}`,
        1 + (i % 5),
        random.pick(['planned', 'approved', 'implementing', 'completed']),
        `2026-Q${1 + (i % 4)}`,
        moment(i),
        moment(i),
        'alice',
      ],
    },
    {
      table: 'work_item_dependencies',
      columns: ['source_id', 'target_id', 'dependency_type', 'created_at', 'created_by'],
      count: 300,
      row: (i) => [
        random.uuid('task', i),
        random.uuid('task', i + 1),
        random.pick(['blocks', 'depends_on']),
        moment(i),
        'alice',
      ],
    },
    {
      table: 'vendor_deployment_links',
      columns: ['deployment_id', 'vendor_id', 'created_at'],
      count: DEPLOYMENTS,
      row: (i) => [random.uuid('deployment', i), random.uuid('vendor', i % VENDORS), moment(i)],
    },
    {
      table: 'work_item_deployment_links',
      columns: ['deployment_id', 'work_item_id', 'created_at'],
      count: TASKS,
      row: (i) => [random.uuid('deployment', i % DEPLOYMENTS), random.uuid('task', i), moment(i)],
    },
    {
      table: 'archived_work_items',
      columns: [
        'id',
        'item_type',
        'title',
        'status',
        'path',
        'depth',
        'metadata',
        'created_at',
        'updated_at',
        'created_by',
        'archived_at',
      ],
      count: 300,
      row: (i) => [
        random.uuid('archived', i),
        'task',
        `Archived ${i}`,
        'complete',
        '/',
        0,
        '{}',
        moment(i),
        moment(i),
        'system',
        moment(i + 5),
      ],
    },
  ];
}

/** A minute for each index, in the year before the migration was written. */
function moment(index: number): string {
  return new Date(Date.UTC(2025, 0, 1) + (index % 400_000) * 60_000).toISOString();
}

function commit(random: Random, index: number): string {
  return `${random.uuid('commit', index)}${random.uuid('commit', index + 1)}`
    .replaceAll('-', '')
    .slice(0, 40);
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
