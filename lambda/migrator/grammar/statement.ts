// The content of a text of SQL, as PostgreSQL's grammar reads it: statements, the comments between them, and its fault.
import type { Effect } from './effect.ts';
import type { Obstacle } from './obstacles.ts';
import type { Reads } from './reads.ts';

/** A text's place: UTF-16 units from 0, as JavaScript counts. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A statement, from its first token to its semicolon, which is not included. It is plain JSON. */
export interface Statement extends Span {
  /** The name of its node in the grammar, e.g. `AlterTableStmt`. */
  readonly kind: string;
  /** Why it cannot run in a revision; absent if it can. */
  readonly obstacle?: Obstacle;
  /** Present if it only returns rows: SELECT, VALUES, TABLE or WITH. */
  readonly isQuery?: true;
  /** Present if it is `CREATE TEMPORARY TABLE … ON COMMIT DROP AS …`. */
  readonly gathers?: Gathering;
  /** The names that it reads by; present if it is a query or gathers. */
  readonly reads?: Reads;
  /** The locks that it takes, and the objects that it makes, renames or looks in; absent if there are none. */
  readonly effects?: readonly Effect[];
  /** The function that it makes, in quotes, with its schema if it is written. */
  readonly defines?: string;
  /** The place at which the body of a DO statement begins, if dollars quote it. */
  readonly body?: number;
}

/** A temporary table that is made of a query; the span is the query's. */
export interface Gathering extends Span {
  readonly table: string;
}

/** A comment between statements. */
export interface Comment extends Span {
  /** `--` up to the end of the line, which is not included. */
  readonly isLine: boolean;
}

/** The place at which a text is no SQL, and why. */
export interface Fault {
  /** The place of the error. */
  readonly at: number;
  /** The place at which the statement begins that holds it. */
  readonly from: number;
  /** `syntax`: it is not SQL. `reach`: PostgreSQL might read it, and we cannot. */
  readonly kind: 'syntax' | 'reach';
  /** The grammar's own words, such as `syntax error at or near "FRM"`. */
  readonly message: string;
}

/** The content of a text; up to the fault, if it has one. */
export interface Reading {
  readonly statements: readonly Statement[];
  readonly comments: readonly Comment[];
  readonly fault?: Fault;
}

/** Reads a whole text of SQL. */
export type Reader = (sql: string) => Reading;
