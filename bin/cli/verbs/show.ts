// `show`: one whole revision. It only reads the folders.
import { BackstopError } from '../../../lambda/migrator/model/errors.ts';
import { BASE } from '../../../lambda/migrator/model/report.ts';
import { revisionOf } from '../../../lambda/migrator/revisions/chain.ts';
import type { Revision, Script } from '../../../lambda/migrator/revisions/revision.ts';
import { resolveTarget } from '../../../lambda/migrator/revisions/target.ts';
import { readSelected } from '../databases.ts';
import { logEntry, revisionJson } from '../revisions.ts';
import type { Verb } from '../verb.ts';

export const showVerb: Verb = {
  name: 'show',
  args: [['<revision>', 'a revision, its unique beginning, or head']],
  description: 'Show one revision: its header, its steps, and the tables that it locks, scans and retires.',
  example: 'npx backstop show 002',
  offline: true,
  async run({ args: [target = ''], options }) {
    const { definition, chain } = readSelected(options, target);
    const id = resolveTarget(chain, BASE, target);
    if (id === BASE) {
      throw new BackstopError('InvalidInput', {
        message: `There is no revision at ${BASE}`,
        hint: 'Name a revision; npx backstop history lists them.',
      });
    }
    const revision = revisionOf(chain, id);
    const scripts = scriptsOf(revision);
    return {
      lines: [
        ...logEntry(chain, revision),
        ...(revision.retires.length > 0 ? [`Retires: ${revision.retires.join(', ')}`] : []),
        ...scripts.flatMap(describeScript),
      ],
      json: {
        database: definition.name,
        ...revisionJson(chain, revision),
        retires: revision.retires,
        ...Object.fromEntries(
          scripts.map(([name, { steps, locks, scans }]) => [
            name,
            { steps: steps.map(({ title }) => title), locks, scans },
          ]),
        ),
      },
    };
  },
};

function scriptsOf({ upgrade, downgrade, finalize }: Revision): [name: string, script: Script][] {
  return [
    ['upgrade', upgrade],
    ['downgrade', downgrade],
    ...(finalize ? [['finalize', finalize] as [string, Script]] : []),
  ];
}

function describeScript([name, { steps, locks, scans }]: [string, Script]): string[] {
  const tables = [...listed('locks', locks), ...listed('scans', scans)];
  return [
    [`${name}.sql`, tables.join('; ')].filter(Boolean).join(' '),
    ...steps.map(({ title }, index) => `  ${index + 1}. ${title}`),
  ];
}

function listed(verb: string, tables: readonly string[]): string[] {
  return tables.length === 0 ? [] : [`${verb} ${tables.join(', ')}`];
}
