// The last line of a run: the number of cases, and the number of failures of each kind.
import { WRONGS } from './verify.ts';

/** The part of a jest test result that the tally reads. */
interface FileResult {
  readonly testResults: readonly { readonly status: string; readonly failureMessages: readonly string[] }[];
}

export default class Tally {
  #cases = 0;
  readonly #failures: string[] = [];

  onTestResult(_test: unknown, { testResults }: FileResult): void {
    for (const { status, failureMessages } of testResults) {
      if (status === 'passed' || status === 'failed') this.#cases += 1;
      if (status === 'failed') this.#failures.push(failureMessages.join('\n'));
    }
  }

  onRunComplete(): void {
    const counts = WRONGS.map(
      (wrong) => `${this.#failures.filter((text) => text.includes(`${wrong}: `)).length} ${wrong}`,
    );
    console.log(`${this.#cases} cases: ${counts.join(', ')}; ${this.#failures.length} failed in all`);
  }
}
