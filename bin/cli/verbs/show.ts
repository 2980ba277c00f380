// `show`: one whole revision. It only reads the folders.
import { BackstopError, isEnding } from '../../../lambda/migrator/model/errors.ts';
import { printable } from '../../../lambda/migrator/model/printable.ts';
import { BASE } from '../../../lambda/migrator/model/report.ts';
import { revisionOf } from '../../../lambda/migrator/revisions/chain.ts';
import { PHASES } from '../../../lambda/migrator/revisions/check.ts';
import type { Revision, Script } from '../../../lambda/migrator/revisions/revision.ts';
import { resolveTarget } from '../../../lambda/migrator/revisions/target.ts';
import { readSelected } from '../databases.ts';
import { lastProof } from '../proofs.ts';
import { logEntry, revisionJson } from '../revisions.ts';
import type { Verb } from '../verb.ts';

export const showVerb: Verb = {
  name: 'show',
  args: [['<revision>', 'a revision, its unique beginning, or head']],
  description: 'Show one revision: its header, its steps, and the tables that it locks, scans and retires.',
  example: 'npx backstop show 002',
  offline: true,
  async run({ args: [target = ''], options, read, terminal }) {
    const { definition, chain } = readSelected({ options, read }, target);
    const id = resolveTarget(chain, BASE, target);
    if (id === BASE) {
      throw new BackstopError('InvalidInput', {
        message: `There is no revision at ${BASE}`,
        hint: 'Name a revision; npx backstop history lists them.',
      });
    }
    const revision = revisionOf(chain, id);
    const scripts = scriptsOf(revision);
    const refused = refusalsOf(revision);
    const proof = lastProof(terminal, definition.name, revision);
    return {
      lines: [
        ...logEntry(chain, revision),
        ...(revision.retires.length > 0 ? [`Retires: ${revision.retires.join(', ')}`] : []),
        ...scripts.flatMap(describeScript),
        ...(proof ? [`Dry run at ${proof.at}: ${printable(proof.line)}`] : []),
        ...refused.flatMap(({ message }) => ['', ...message.split('\n')]),
      ],
      json: {
        database: definition.name,
        ...revisionJson(chain, revision),
        retires: revision.retires,
        ...(proof && { proof }),
        ...Object.fromEntries(
          scripts.map(([name, script]) => [
            name,
            { steps: titlesOf(script), locks: script.locks, scans: script.scans },
          ]),
        ),
        ...(refused.length > 0 && { refused: refused.map(({ message }) => message) }),
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

function describeScript([name, script]: [string, Script]): string[] {
  const { locks, scans } = script;
  const tables = [...listed('locks', locks), ...listed('scans', scans)];
  const titles = titlesOf(script);
  return [
    [`${name}.sql`, tables.join('; ')].filter(Boolean).join(' '),
    ...(titles === undefined ? ['  cannot be run: see below'] : []),
    ...(titles?.length === 0 ? ['  none'] : []),
    ...(titles ?? []).map((title, index) => `  ${index + 1}. ${title}`),
  ];
}

/** The titles of its steps; undefined if it cannot be run. */
function titlesOf(script: Script): readonly string[] | undefined {
  return refusalOf(() => script.steps) ? undefined : script.steps.map(({ title }) => title);
}

/** Why files of the revision cannot be run. */
function refusalsOf(revision: Revision): BackstopError[] {
  const files = [
    ...scriptsOf(revision).map(
      ([, script]) =>
        () =>
          script.steps,
    ),
    ...PHASES.map((phase) => () => revision.checks[phase]),
  ];
  return files.flatMap((read) => refusalOf(read) ?? []);
}

function refusalOf(read: () => unknown): BackstopError | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (isEnding(error, 'RevisionInvalid')) return error;
    throw error;
  }
}

function listed(verb: string, tables: readonly string[]): string[] {
  return tables.length === 0 ? [] : [`${verb} ${tables.join(', ')}`];
}
