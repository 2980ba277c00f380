// `show`: all about one revision. It reads the folders alone, and connects to nothing.
import { revisionOf } from '../../../lambda/migrator/chain.ts';
import { InvalidInput } from '../../../lambda/migrator/errors.ts';
import { BASE } from '../../../lambda/migrator/report.ts';
import type { Revision, Script } from '../../../lambda/migrator/revision.ts';
import { resolveTarget } from '../../../lambda/migrator/target.ts';
import { readSelected } from '../databases.ts';
import { logEntry, revisionJson } from '../revisions.ts';
import type { Verb } from '../verb.ts';

export const showVerb: Verb = {
  name: 'show',
  args: [['<revision>', 'a revision, a unique start of one, or head']],
  description: 'Show one revision: what it is, its steps and its locks.',
  example: 'npx backstop show 002',
  async run({ args: [target = ''], options }) {
    const { definition, chain } = readSelected(options, target);
    const id = resolveTarget(chain, BASE, target);
    if (id === BASE) {
      throw new InvalidInput({
        message: `There is no revision at ${BASE}`,
        hint: 'Name one; npx backstop history lists them.',
      });
    }
    const revision = revisionOf(chain, id);
    const scripts = scriptsOf(revision);
    return {
      lines: [...logEntry(chain, revision), ...scripts.flatMap(describeScript)],
      json: {
        database: definition.name,
        ...revisionJson(chain, revision),
        ...Object.fromEntries(
          scripts.map(([name, { steps, locks }]) => [
            name,
            { steps: steps.map(({ title }) => title), locks },
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

function describeScript([name, { steps, locks }]: [string, Script]): string[] {
  return [
    `${name}.sql${locks.length > 0 ? ` locks ${locks.join(', ')}` : ''}`,
    ...steps.map(({ title }, index) => `  ${index + 1}. ${title}`),
  ];
}
