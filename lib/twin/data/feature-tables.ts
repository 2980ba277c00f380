// Rows for the nine tables that revision 002 of codebase_mcp retires.
import type { Random } from './random.ts';
import { moment, NAMES, type TableData, THINGS } from './table-data.ts';

const TASKS = 500;
const VENDORS = 25;
const DEPLOYMENTS = 200;

/** The nine tables, each after those it refers to. */
export function featureTables(random: Random): TableData[] {
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

function commit(random: Random, index: number): string {
  return `${random.uuid('commit', index)}${random.uuid('commit', index + 1)}`
    .replaceAll('-', '')
    .slice(0, 40);
}
