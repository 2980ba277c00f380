// From the grammar's tree of a text to its statements: their places, and the facts that the engine needs of them.
import { effectsOf } from './effects.ts';
import { qualified, texts } from './names.ts';
import type { Node } from './node.ts';
import { obstacleOf } from './obstacles.ts';
import { readsOf } from './reads.ts';
import type { Gathering, Statement } from './statement.ts';
import { unitsOfBytes } from './units.ts';

/** PostgreSQL's own parser and scanner, as libpg-query exports them. Places are in bytes; those at 0 are absent. */
export interface Grammar {
  parseSync(sql: string): { readonly stmts?: readonly RawStatement[] };
  scanSync(sql: string): { readonly tokens?: readonly Token[] };
}

interface RawStatement {
  readonly stmt?: Readonly<Record<string, Node>>;
  readonly stmt_location?: number;
  /** Absent for a last statement that no semicolon ends. */
  readonly stmt_len?: number;
}

interface Token {
  readonly start?: number;
  readonly end: number;
  readonly text: string;
  readonly tokenName: string;
  readonly keywordName: string;
}

/** The scanner's time grows faster than its text: a longer statement is not scanned. In UTF-16 units. */
const LONGEST_SCANNED = 200_000;

/** The statements of a text. Throws the errors of the grammar. */
export function statementsOf(grammar: Grammar, text: string): Statement[] {
  const units = unitsOfBytes(text);
  return (grammar.parseSync(text).stmts ?? []).flatMap(({ stmt = {}, stmt_location = 0, stmt_len }) => {
    const [entry] = Object.entries(stmt);
    if (!entry) return [];
    const [kind, node] = entry;
    const start = units(stmt_location);
    // In this order, because places are walked to from left to right.
    const body = kind === 'DoStmt' ? bodyOf(node, text, units) : undefined;
    const end = stmt_len === undefined ? lastEnd(grammar, text, start) : units(stmt_location + stmt_len);
    return [
      { start, end, kind, ...factsOf(grammar, kind, node, { text, start, end }), ...(body && { body }) },
    ];
  });
}

/** The facts about a statement, apart from its place. */
function factsOf(
  grammar: Grammar,
  kind: string,
  node: Node,
  { text, start, end }: { readonly text: string; readonly start: number; readonly end: number },
): Partial<Statement> {
  const obstacle = obstacleOf(kind, node);
  const effects = effectsOf({ [kind]: node } as never);
  const gathers =
    kind === 'CreateTableAsStmt' ? gatheringOf(grammar, node, text.slice(start, end), start) : undefined;
  const isQuery = kind === 'SelectStmt' && node.intoClause === undefined;
  return {
    ...(obstacle && { obstacle }),
    ...(effects.length > 0 && { effects }),
    ...(isQuery && { isQuery }),
    ...(gathers && { gathers }),
    ...(kind === 'CreateFunctionStmt' && { defines: qualified(...texts(node.funcname as never)) }),
    ...((isQuery || gathers) && { reads: readsOf(node) }),
  };
}

/** The place at which the body of a DO statement begins, if dollars quote it. */
function bodyOf(node: Node, text: string, units: (bytes: number) => number): number | undefined {
  const options = (node.args ?? []) as { DefElem?: { defname?: string; location?: number } }[];
  const { location } = options.find(({ DefElem }) => DefElem?.defname === 'as')?.DefElem ?? {};
  if (location === undefined) return undefined;
  const quote = units(location);
  return text[quote] === '$' ? text.indexOf('$', quote + 1) + 1 : undefined;
}

/** The end of the last token of a last statement that no semicolon ends: comments may follow it. */
function lastEnd(grammar: Grammar, text: string, start: number): number {
  const statement = text.slice(start).trimEnd();
  if (statement.length > LONGEST_SCANNED) return start + statement.length;
  const last = tokensOf(grammar, statement).at(-1);
  return start + unitsOfBytes(statement)(last?.end ?? 0);
}

/** Without the comments. */
function tokensOf(grammar: Grammar, statement: string): Token[] {
  const { tokens = [] } = grammar.scanSync(statement);
  return tokens.filter(({ tokenName }) => tokenName !== 'SQL_COMMENT' && tokenName !== 'C_COMMENT');
}

/** A name in double quotes is no keyword. */
function isKeyword(token: Token | undefined, word: string): boolean {
  return token?.keywordName !== 'NO_KEYWORD' && token?.text.toLowerCase() === word;
}

/** The table and the query of `CREATE TEMPORARY TABLE name ON COMMIT DROP AS query`, with nothing else said of it. */
function gatheringOf(grammar: Grammar, node: Node, statement: string, start: number): Gathering | undefined {
  const { rel, onCommit, skipData, colNames, options, accessMethod, tableSpaceName } = (node.into ??
    {}) as Node;
  const { relname, schemaname, relpersistence } = (rel ?? {}) as Node;
  const isPlain = [schemaname, skipData, colNames, options, accessMethod, tableSpaceName].every(
    (value) => value === undefined,
  );
  const isQuery = 'SelectStmt' in ((node.query ?? {}) as Node) && node.is_select_into !== true;
  const isShared = isQuery && isPlain && relpersistence === 't' && onCommit === 'ONCOMMIT_DROP';
  if (!isShared || statement.length > LONGEST_SCANNED) return undefined;
  const tokens = tokensOf(grammar, statement);
  const as = tokens.findIndex((token) => isKeyword(token, 'as'));
  const [end, beforeIt, last] = tokens.slice(-3);
  // `WITH DATA` says what is true anyway.
  const withData = isKeyword(last, 'data') && isKeyword(beforeIt, 'with');
  const units = unitsOfBytes(statement);
  const from = units(tokens[as + 1]?.start ?? 0);
  const to = units((withData ? end : last)?.end ?? 0);
  return { table: String(relname), start: start + from, end: start + to };
}
