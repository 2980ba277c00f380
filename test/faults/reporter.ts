// The last line of a run: how many cases there were, and what was wrong with how many.
import type { TestResult } from '@jest/reporters';
import { WRONGS } from './verify.ts';

export default class Tally {
  #cases = 0;
  readonly #failures: string[] = [];

  onTestResult(_test: unknown, { testResults }: TestResult): void {
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
