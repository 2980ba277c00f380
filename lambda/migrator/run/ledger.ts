// The effects of one attempt so far: the locks and since when, the files of the tables, the written bytes.
import type { Moment, Relations } from '../database/evidence.ts';
import type { HeldLock, StepReport } from '../model/report.ts';

/** Takes one moment after another, and returns the changes of each. */
export class Ledger {
  readonly #held = new Set<string>();
  /** oid → the relation's name at that time, and since when we may hold ACCESS EXCLUSIVE on it. */
  readonly #exclusive = new Map<string, { readonly relation: string; readonly since: number }>();
  /** oid → the file that the relation was last seen in. */
  readonly #filenodes: Map<string, string>;
  readonly #walAtBegin: number;
  #wal: number;
  #pausedMs = 0;

  /** `begin` is the moment after BEGIN, before anything is locked. */
  constructor(before: Relations, begin: Moment) {
    this.#filenodes = new Map([...before].map(([oid, { filenode }]) => [oid, filenode]));
    this.#walAtBegin = begin.wal;
    this.#wal = begin.wal;
  }

  /** The effects since the last moment; `since` is when the statement in between was sent. */
  enter({ wal, locks }: Moment, since: number): Pick<StepReport, 'locks' | 'rewritten' | 'walBytes'> {
    const fresh: HeldLock[] = [];
    const rewritten = new Set<string>();
    for (const { oid, relation, mode, filenode } of locks) {
      if (!this.#held.has(`${mode} ${oid}`)) fresh.push({ relation, mode });
      this.#held.add(`${mode} ${oid}`);
      if (mode === 'AccessExclusiveLock' && !this.#exclusive.has(oid))
        this.#exclusive.set(oid, { relation, since });
      if ((this.#filenodes.get(oid) ?? filenode) !== filenode) rewritten.add(relation);
      this.#filenodes.set(oid, filenode);
    }
    const walBytes = wal - this.#wal;
    this.#wal = wal;
    return { locks: fresh, rewritten: [...rewritten], walBytes };
  }

  /** Relation → for how long ACCESS EXCLUSIVE has been held on it, in ms; the table that was locked first is the first. */
  exclusiveMs(now: number): Record<string, number> {
    return Object.fromEntries(
      [...this.#exclusive.values()].map(({ relation, since }) => [relation, now - since]),
    );
  }

  /** Leaves out a time, in ms, in which a dry run did what the run itself would not do. */
  pause(ms: number): void {
    this.#pausedMs += ms;
    for (const [oid, { relation, since }] of this.#exclusive)
      this.#exclusive.set(oid, { relation, since: since + ms });
  }

  get pausedMs(): number {
    return this.#pausedMs;
  }

  get walBytes(): number {
    return this.#wal - this.#walAtBegin;
  }
}
