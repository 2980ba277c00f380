// The question before data is lost: asked where somebody can answer, else answered by --yes alone.

import { BackstopError } from '../../lambda/migrator/model/errors.ts';
import type { Loss } from '../../lambda/migrator/model/report.ts';
import type { Call } from './verb.ts';

/**
 * Returns where nothing would be lost, or the loss is wanted.
 *
 * @param what the sentence's subject: `Downgrade to 005`
 * @param foresee not called with --yes: a check that cannot run must not keep from a downgrade whoever wants it anyway
 * @throws InvalidInput where the loss is not confirmed: nothing was changed; what `foresee` throws
 */
export async function confirmLoss(
  { terminal, options }: Call<{ readonly yes?: boolean }>,
  what: string,
  foresee: () => Promise<Loss>,
): Promise<void> {
  if (options.yes) return;
  const lines = describeLoss(await foresee());
  if (lines.length === 0) return;
  if (!terminal.ask) {
    throw new BackstopError('InvalidInput', {
      message: `${what} loses data, and nobody is here to confirm it`,
      detail: lines.join('; '),
      hint: 'Add --yes if that is meant.',
    });
  }
  terminal.err(terminal.paint.warning(`${what} loses data:`));
  for (const line of lines) terminal.err(`  ${line}`);
  const answer = await terminal.ask('Type yes to go on: ');
  if (answer.trim().toLowerCase() === 'yes') return;
  throw new BackstopError('InvalidInput', {
    message: `${what} was not confirmed`,
    detail: 'Nothing was changed.',
  });
}

/** A sentence for each thing that would be lost; none where nothing would be. */
function describeLoss({ found, unforeseen }: Loss): string[] {
  return [
    ...found.flatMap(({ revision, rows, violations }) => [
      ...rows.map(
        (row) =>
          `${revision}: ${Object.entries(row)
            .map(([column, value]) => `${column} ${value}`)
            .join(', ')}`,
      ),
      ...(violations > rows.length ? [`${revision}: and ${violations - rows.length} more`] : []),
    ]),
    ...unforeseen.map((id) => `${id}: what it would lose is not known beforehand`),
  ];
}
