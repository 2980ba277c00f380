// The effects of a statement that its text tells: which relations it locks in which mode, and the work under the lock.

/** The server's modes of a table lock, from the weakest to the strongest. */
export const LOCK_MODES = [
  'AccessShareLock',
  'RowShareLock',
  'RowExclusiveLock',
  'ShareUpdateExclusiveLock',
  'ShareLock',
  'ShareRowExclusiveLock',
  'ExclusiveLock',
  'AccessExclusiveLock',
] as const;
export type LockMode = (typeof LOCK_MODES)[number];

/** Whether the mode keeps others from writing: SHARE and all that are stronger. */
export function blocksWrites(mode: string): boolean {
  return LOCK_MODES.indexOf(mode as LockMode) >= LOCK_MODES.indexOf('ShareLock');
}

/** The stronger of the modes. */
export function strongest(modes: readonly LockMode[]): LockMode {
  const strength = Math.max(0, ...modes.map((mode) => LOCK_MODES.indexOf(mode)));
  return LOCK_MODES[strength] as LockMode;
}

/** An effect is plain JSON, because a bundle contains effects instead of the grammar. */
export type Effect = Lock | Naming | Path;

/** A relation that is locked, and the work on it. All names are quoted as SQL, with their schema if it is written. */
export interface Lock {
  /** The relation; for `of`, the object of that kind. */
  readonly relation: string;
  readonly mode: LockMode;
  /** The name is of something else, and its tables are locked: those with a column of the domain, all of the schema. */
  readonly of?: 'domain' | 'schema' | 'type' | 'function' | 'extension';
  /** The child tables are not locked. */
  readonly only?: true;
  /** Only the owner of the relation may run the statement. */
  readonly owned?: true;
  /** The table leaves its schema, or a column of it gets another name, to come back later. */
  readonly retires?: 'table' | 'column';
  /** The object goes, or this column or constraint of it, and relations that depend on it are locked, too. */
  readonly drops?: Drops;
  /** Rows of it go, and it stays: the rows that meet the condition, if it is plain; otherwise any. */
  readonly empties?: { readonly where?: string };
  /** Rows of it get other values in these columns; an empty name means any column. */
  readonly sets?: readonly string[];
  /** Locked are also the tables that refer to it by a foreign key; or, instead of it, its default partition. */
  readonly reaches?: 'referring tables' | 'default partition';
  /** All the work of the statement on this relation: one pass or one rewrite serves all who need it. */
  readonly work?: readonly Work[];
}

export interface Drops {
  readonly column?: string;
  readonly constraint?: string;
  /** It is made again with the same name and converted values, as when the type of a column changes. */
  readonly remade?: true;
  /** Whatever depends on it goes, too. */
  readonly cascade?: true;
}

/** A name that means something else from here on: a new relation, or a relation that had another name. */
export interface Naming {
  readonly makes: string;
  /** The name before. */
  readonly was?: string;
  /** The table of a new index. */
  readonly indexOf?: string;
}

/** The schemas in which names are looked up from here on; null if they are the ones of the session again. */
export interface Path {
  readonly path: readonly string[] | null;
}

/** The work on a relation while it is locked, as far as the text tells: the catalogue decides about some of it. */
export type Work = Task & {
  /** Nothing is done if there is a column of this name, or an index for an index. */
  readonly unless?: string;
};

type Task =
  /** A pass over all rows, for a CHECK: its expression, if it is plain. */
  | { readonly kind: 'scan'; readonly check?: string }
  /** A pass, unless a valid constraint proves it. */
  | {
      readonly kind: 'not null';
      readonly column?: string /** All columns of this index are meant. */;
      readonly index?: string;
    }
  | { readonly kind: 'rewrite' }
  /** A rewrite, unless the old type is as good as the new one. `using`: another value than the column's own. */
  | { readonly kind: 'type'; readonly column: string; readonly type: string; readonly using?: true }
  /** A rewrite, if one of the functions is volatile, or the type is a domain with a constraint. */
  | { readonly kind: 'default'; readonly functions: readonly string[]; readonly type: string }
  /** A rewrite, unless it is so already. */
  | { readonly kind: 'persistence'; readonly logged: boolean }
  | {
      readonly kind: 'index';
      readonly method: string;
      /** Columns and expressions, as SQL; empty if one of them is not plain. */
      readonly keys: readonly string[];
      readonly predicate?: string;
    }
  /** All indexes of the relation are built again; if an index is named, this index. */
  | { readonly kind: 'reindex' }
  | { readonly kind: 'foreign key'; readonly columns: readonly string[]; readonly references: string }
  | { readonly kind: 'validate'; readonly constraint: string };

export function isLock(effect: Effect): effect is Lock {
  return 'mode' in effect;
}
