// The question before data is lost: asked if there is a terminal; without one, only --yes confirms it.
import { BackstopError } from '../../lambda/migrator/model/errors.ts';
import { describeRowLoss } from '../../lambda/migrator/model/losing.ts';
import type { Loss } from '../../lambda/migrator/model/losses.ts';
import type { Call } from './verb.ts';

/**
 * Returns if no data would be lost, or the loss is confirmed: whether it is.
 *
 * @param what the subject of the sentence: `The downgrade to 005`
 * @param foresee not called with --yes: a loss check that fails must not prevent a downgrade that is wanted anyway
 * @throws InvalidInput if the loss is not confirmed; nothing was changed then. Also throws what `foresee` throws
 */
export async function confirmLoss(
  { terminal, options }: Call<{ readonly yes?: boolean }>,
  what: string,
  foresee: () => Promise<Loss>,
): Promise<boolean> {
  if (options.yes) return true;
  const lines = describeLoss(await foresee());
  if (lines.length === 0) return false;
  if (!terminal.ask) {
    throw new BackstopError('InvalidInput', {
      message: `${what} would lose data; confirm with --yes`,
      detail: lines.join('; '),
      hint: 'Add --yes if you want to lose it.',
    });
  }
  terminal.err(terminal.paint.warning(`${what} would lose data:`));
  for (const line of lines) terminal.err(`  ${line}`);
  const answer = await terminal.ask('Type yes to go on: ');
  if (answer.trim().toLowerCase() === 'yes') return true;
  throw new BackstopError('InvalidInput', {
    message: `${what} was not confirmed`,
    detail: 'Nothing was changed.',
  });
}

/** A line for each row of the checks that foresee a loss; none if nothing would be lost. */
function describeLoss({ found, unforeseen, rows: taken = [] }: Loss): string[] {
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
    ...taken.map(describeRowLoss),
    ...unforeseen.map((id) => `${id}: the revision does not declare what would be lost`),
  ];
}
