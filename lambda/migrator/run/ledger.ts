// The effects of one attempt so far: the locks and since when, the files of the tables, the written bytes.
import type { Moment, Relations } from '../database/evidence.ts';
import { blocksWrites, type LockMode, strongest } from '../grammar/effect.ts';
import type { HeldLock, StepReport } from '../model/report.ts';

/** Takes one moment after another, and returns the changes of each. */
export class Ledger {
  readonly #held = new Set<string>();
  /** oid → the strongest mode that was foreseen; undefined if nothing was. */
  readonly #foreseen: Map<string, LockMode> | undefined;
  /** oid → the strongest lock that was not foreseen. */
  readonly #unforeseen = new Map<string, HeldLock>();
  /** oid → the relation's name at that time, and since when we may hold ACCESS EXCLUSIVE on it. */
  readonly #exclusive = new Map<string, { readonly relation: string; readonly since: number }>();
  /** oid → the file that the relation was last seen in. */
  readonly #filenodes: Map<string, string>;
  readonly #before: Relations;
  readonly #walAtBegin: number;
  #wal: number;
  #pausedMs = 0;

  /**
   * @param begin the moment after BEGIN, before anything is locked
   * @param foreseen oid → the strongest mode in which the steps will lock it; undefined if that is not known
   */
  constructor(before: Relations, begin: Moment, foreseen?: ReadonlyMap<string, LockMode>) {
    this.#before = before;
    this.#foreseen = foreseen && new Map(foreseen);
    this.#filenodes = new Map([...before].map(([oid, { filenode }]) => [oid, filenode]));
    this.#walAtBegin = begin.wal;
    this.#wal = begin.wal;
  }

  /** The effects since the last moment; `since` is when the statement in between was sent. */
  enter({ wal, locks }: Moment, since: number): Pick<StepReport, 'locks' | 'rewritten' | 'walBytes'> {
    const fresh: HeldLock[] = [];
    const rewritten = new Set<string>();
    for (const { oid, relation, mode, filenode } of locks) {
      if (!this.#held.has(`${mode} ${oid}`)) {
        fresh.push({ relation, mode });
        this.#compare(oid, { relation, mode });
      }
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

  /** From here on the locks that are held count as foreseen: they were taken up front. */
  declare(): void {
    for (const held of this.#held) {
      const [mode, oid] = held.split(' ') as [LockMode, string];
      this.#foreseen?.set(oid, strongest([mode, this.#foreseen.get(oid) ?? mode]));
    }
    this.#unforeseen.clear();
  }

  /** Notes a lock that keeps others from writing if the table existed before the run, and no lock as strong was foreseen. */
  #compare(oid: string, { relation, mode }: HeldLock): void {
    if (this.#foreseen === undefined || !this.#before.has(oid) || !blocksWrites(mode)) return;
    const known = [this.#foreseen.get(oid), this.#unforeseen.get(oid)?.mode] as (LockMode | undefined)[];
    const expected = strongest(known.filter((one) => one !== undefined));
    if (strongest([mode as LockMode, expected]) === expected) return;
    this.#unforeseen.set(oid, { relation, mode });
  }

  /** The locks that nothing foresaw, the strongest of each table. */
  get unforeseen(): readonly HeldLock[] {
    return [...this.#unforeseen.values()];
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
