// The runs that a fault disturbs: the start state of each, its call in this process, and its command line.
import { downgrade, finalize, stamp, upgrade } from '../../lambda/migrator/migrator.ts';
import type { RunReport } from '../../lambda/migrator/model/report.ts';
import type { MigratorOptions } from '../../lambda/migrator/session/session.ts';

type Ask = (migrator: MigratorOptions) => Promise<RunReport>;

export interface Verb {
  /** The runs that lead from 005 to its start state. */
  readonly from: readonly Ask[];
  readonly ask: Ask;
  /** The same, for `backstop`. */
  readonly args: readonly string[];
}

const retire: Ask = (migrator) => upgrade(migrator, '002');

export const VERBS = {
  upgrade: { from: [], ask: retire, args: ['upgrade', '002'] },
  'upgrade --finalize': {
    from: [],
    ask: (migrator) => upgrade(migrator, '002', { finalize: true }),
    args: ['upgrade', '002', '--finalize', '--yes'],
  },
  downgrade: {
    from: [retire],
    ask: (migrator) => downgrade(migrator, '005'),
    args: ['downgrade', '005', '--yes'],
  },
  'downgrade after finalize': {
    from: [retire, (migrator) => finalize(migrator)],
    ask: (migrator) => downgrade(migrator, '005'),
    args: ['downgrade', '005', '--yes'],
  },
  finalize: { from: [retire], ask: (migrator) => finalize(migrator), args: ['finalize', '--yes'] },
  stamp: { from: [], ask: (migrator) => stamp(migrator, '003a'), args: ['stamp', '003a'] },
} as const satisfies Record<string, Verb>;

export type VerbName = keyof typeof VERBS;
