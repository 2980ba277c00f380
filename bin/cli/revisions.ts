// Revisions as Alembic prints them: `005 -> 002 (head), Remove non-search tables and add project_id columns`.
import { join, relative } from 'node:path';
import { BASE, type RevisionId } from '../../lambda/migrator/model/report.ts';
import type { Chain } from '../../lambda/migrator/revisions/chain.ts';
import type { Revision } from '../../lambda/migrator/revisions/revision.ts';

/** `002 (head)`: the line that `current` prints. */
export function shortName({ head }: Chain, id: RevisionId): string {
  return id === head ? `${id} (head)` : id;
}

/** `002 (left) (head)`: the line that `heads` prints. As in Alembic, all revisions of a branch have its label. */
export function branchName(chain: Chain, id: RevisionId): string {
  return [id, chain.branch && `(${chain.branch})`, id === chain.head && '(head)'].filter(Boolean).join(' ');
}

/** `005 -> 002 (head), Title`: a line of `history`. */
export function historyLine(chain: Chain, { id, revises, title }: Revision): string {
  return `${revises ?? `<${BASE}>`} -> ${branchName(chain, id)}, ${title}`;
}

/** The whole revision, as `show` and `--verbose` print it, with an empty line at the end. */
export function logEntry(chain: Chain, { id, revises, title, createDate, folder }: Revision): string[] {
  const parent = revises ?? `<${BASE}>`;
  return [
    `Rev: ${shortName(chain, id)}`,
    `Parent: ${parent}`,
    ...(chain.branch === undefined ? [] : [`Branch names: ${chain.branch}`]),
    `Path: ${relative(process.cwd(), join(folder, 'upgrade.sql'))}`,
    '',
    `    ${title}`,
    '    ',
    `    Revision ID: ${id}`,
    `    Revises: ${parent}`,
    `    Create Date: ${createDate}`,
    '',
  ];
}

/** A revision as JSON. */
export function revisionJson({ head, branch }: Chain, revision: Revision) {
  const { id, revises, title, createDate, folder, checksum } = revision;
  return {
    revision: id,
    revises: revises ?? BASE,
    title,
    head: id === head,
    branch: branch ?? null,
    createDate,
    folder: relative(process.cwd(), folder),
    checksum,
  };
}
