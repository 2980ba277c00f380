// --sql: the script of an upgrade or downgrade, printed and not run.
import { BackstopError } from '../../lambda/migrator/model/errors.ts';
import { BASE } from '../../lambda/migrator/model/report.ts';
import { offlineSql } from '../../lambda/migrator/offline.ts';
import { resolveTarget } from '../../lambda/migrator/revisions/target.ts';
import { readSelected } from './databases.ts';
import type { Call, VerbResult } from './verb.ts';

/**
 * The script for `FROM:TO`; an upgrade to `TO` alone begins at base, as Alembic's does. Connects to no database.
 *
 * @throws InvalidInput if a downgrade has no `FROM`
 */
export function offlineResult(call: Call, direction: 'upgrade' | 'downgrade', target: string): VerbResult {
  const parts = target.split(':');
  const [first = '', second] = parts;
  if (parts.length > 2) {
    throw new BackstopError('InvalidInput', {
      message: `"${target}" has more than one colon`,
      hint: 'Write FROM:TO.',
    });
  }
  if (second === undefined && direction === 'downgrade') {
    throw new BackstopError('InvalidInput', {
      message: 'downgrade --sql needs the revision to start from',
      hint: `Write FROM:TO, for example: npx backstop downgrade 002:${first.startsWith('-') ? '005' : first} --sql`,
    });
  }
  const labelled = parts.find((part) => part.includes('@'));
  const { definition, chain } = readSelected(call, labelled);
  const from = second === undefined ? BASE : resolveTarget(chain, BASE, first);
  const to = resolveTarget(chain, from, second ?? first);
  const sql = offlineSql(chain, direction, from, to);
  return {
    lines: [sql.trimEnd()],
    isFile: true,
    json: { database: definition.name, direction, from, to, sql },
  };
}

/** Throws InvalidInput if a target is `FROM:TO` without --sql. */
export function refuseRange(target: string): void {
  if (!target.includes(':')) return;
  throw new BackstopError('InvalidInput', {
    message: `"${target}" names a revision to start from, which only --sql needs`,
    hint: 'Write only the target, or add --sql.',
  });
}
