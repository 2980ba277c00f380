// Values of a header that are neither names nor text: each is refused if it is no value of its key.
import { BackstopError } from '../model/errors.ts';
import type { Header } from './header.ts';

interface Values extends Pick<Header, 'values'> {
  readonly path: string;
}

/** Whether the transaction of the run ends with the file. Throws RevisionInvalid. */
export function endsTransaction({ values, path }: Values): boolean {
  const text = values.get('Transaction');
  if (text === undefined || text === 'own') return text === 'own';
  throw new BackstopError('RevisionInvalid', {
    message: `${path}: "Transaction" is "${text}"`,
    hint: 'Write "-- Transaction: own" to end the transaction of the run after this file, or remove the line.',
  });
}

/** Undefined without the line. Throws RevisionInvalid. */
export function countedSteps({ values, path }: Values): number | undefined {
  const text = values.get('Counted Steps');
  if (text === undefined || /^[1-9]\d{0,3}$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new BackstopError('RevisionInvalid', {
    message: `${path}: "Counted Steps" is "${text}"`,
    hint: 'Write how many steps the contract of the revision counts, or remove the line.',
  });
}
