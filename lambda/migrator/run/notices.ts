// The notices of the server while a step runs: the first and the last of them, and how many are left out. The notices
// of a function are only counted.
import type pg from 'pg';
import { cut, ENTRIES_KEPT, Ends } from '../model/bounded.ts';
import { type Listener, RESULT } from '../model/events.ts';
import type { Notice, StepReport } from '../model/report.ts';
import { describeFunction, type ServerMessage, speakerOf } from '../session/server-words.ts';

/** A notice has at most so many, unless the history keeps them whole. */
const NOTICE_CHARACTERS = 2_000;

/** The driver's notice, of which any field may be missing. */
interface ServerNotice extends ServerMessage {
  readonly severity?: string | undefined;
}

/** How many functions are named; others are counted together. */
const FUNCTIONS_NAMED = 20;

/** Listens to a client until it is stopped. */
export class Notices {
  readonly #isWhole: boolean;
  #list: Ends<Notice>;
  /** Function → how many notices it sent. */
  readonly #withheld = new Map<string, number>();
  readonly stop: () => void;

  /**
   * @param isWhole whether each notice is kept
   * @param functions that the run makes, in quotes
   */
  constructor(client: pg.Client, isWhole: boolean, functions: readonly string[]) {
    this.#isWhole = isWhole;
    this.#list = endsOf(isWhole);
    const listener = (notice: ServerNotice) => {
      const { severity = 'NOTICE', message = '' } = notice;
      // A role or database may ask for these, and for a moment RESET ALL gives it what it asks for.
      if (severity === 'LOG' || severity === 'DEBUG') return;
      const speaker = speakerOf(notice, functions);
      if (typeof speaker === 'object') {
        this.#withhold(describeFunction(speaker));
        return;
      }
      this.#list.push({ severity, message: isWhole ? message : cut(message, NOTICE_CHARACTERS) });
    };
    client.on('notice', listener);
    this.stop = () => client.off('notice', listener);
  }

  /** Forgets the notices so far. */
  begin(): void {
    this.#list = endsOf(this.#isWhole);
    this.#withheld.clear();
  }

  #withhold(sender: string): void {
    const isNamed = this.#withheld.has(sender) || this.#withheld.size < FUNCTIONS_NAMED;
    const name = isNamed ? sender : 'Other functions';
    this.#withheld.set(name, (this.#withheld.get(name) ?? 0) + 1);
  }

  /** The notices since {@link begin}. */
  get fields(): Pick<StepReport, 'notices' | 'omitted'> {
    const { entries, omitted } = this.#list;
    const withheld = [...this.#withheld].map(([sender, count]) => ({
      severity: 'NOTICE',
      message: `${sender} sent ${count === 1 ? '1 notice, which is' : `${count} notices, which are`} not printed`,
    }));
    return { notices: [...entries, ...withheld], ...(omitted > 0 && { omitted: { notices: omitted } }) };
  }
}

/** A list that keeps its first and last entries, or all of them. */
export function endsOf<T>(isWhole: boolean): Ends<T> {
  return new Ends(isWhole ? Number.POSITIVE_INFINITY : ENTRIES_KEPT);
}

/** Tells the notices of a step that are no results of it. */
export function tellNotices({ revision, notices, omitted }: StepReport, listener: Listener): void {
  const count = omitted?.notices ?? 0;
  for (const [index, notice] of notices.entries()) {
    if (count > 0 && index === Math.ceil(notices.length / 2)) {
      listener({ type: 'notices omitted', revision, count });
    }
    if (notice.severity !== RESULT) listener({ type: 'notice', revision, notice });
  }
}
