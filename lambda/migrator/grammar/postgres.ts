// The reader of SQL on this machine: PostgreSQL's own grammar as WebAssembly, loaded when the first reader is made.
import { setFlagsFromString } from 'node:v8';
import { readApart } from './apart.ts';
import { readSql, type Window } from './read.ts';
import type { Reader } from './statement.ts';
import { type Grammar, statementsOf } from './tree.ts';
import { unitsOfCharacters } from './units.ts';

/** The tree of a longer window would fill the memory of this process. In UTF-16 units. */
const LONGEST_HERE = 2_000_000;

/** Loads the grammar, which takes some ms, and returns a reader for any number of texts. */
export async function loadReader(): Promise<Reader> {
  const grammar = await loadGrammar();
  // A grammar whose stack or memory overflowed is not used again.
  let isUsable = true;
  const readWindow = (sql: string): Window => {
    if (!isUsable || sql.length > LONGEST_HERE) return readApart(sql);
    const window = readHere(grammar, sql);
    if (!('fault' in window) || window.fault.kind === 'syntax') return window;
    isUsable = false;
    return readApart(sql);
  };
  return (sql) => readSql(sql, readWindow);
}

export async function loadGrammar(): Promise<Grammar> {
  // The better compiler works on the parser's one large function for seconds, even if the process has nothing else to do
  // any more, and reads a text no faster.
  setFlagsFromString('--wasm-tiering-budget=2000000000');
  const grammar = await import('libpg-query');
  await grammar.loadModule();
  return grammar as unknown as Grammar;
}

/** Reads a window in this thread. An error that is not the grammar's own means that it is beyond our reach. */
export function readHere(grammar: Grammar, sql: string): Window {
  try {
    return { statements: statementsOf(grammar, sql) };
  } catch (error) {
    const { message, sqlDetails } = error as Error & { sqlDetails?: { cursorPosition: number } };
    if (sqlDetails === undefined) return { fault: { at: 0, kind: 'reach', message } };
    const at = unitsOfCharacters(sql, sqlDetails.cursorPosition);
    return { fault: { at, kind: 'syntax', message } };
  }
}
