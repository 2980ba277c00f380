// Finds statements in a revision that would end the transaction it runs in: that is the engine's alone.

/** Everything in which words mean nothing: comments, strings, dollar quotes, quoted names. */
const QUIET =
  /--[^\n]*|\/\*[\s\S]*?\*\/|\$(\w*)\$[\s\S]*?\$\1\$|[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"/g;
const ENDS_TRANSACTION =
  /(?:^|;)\s*(begin|start\s+transaction|commit|rollback(?!\s+(?:work\s+|transaction\s+)?to\b)|abort|end|prepare\s+transaction)\b/i;
/** The body of a function in standard SQL has its own END. */
const STANDARD_BODY = /\bbegin\s+atomic\b[\s\S]*?\bend\b/gi;

/** The first such statement's first word or words, in capitals; undefined if there is no such statement. */
export function findTransactionControl(sql: string): string | undefined {
  const spoken = sql.replace(QUIET, ' ').replace(STANDARD_BODY, ' ');
  return ENDS_TRANSACTION.exec(spoken)?.[1]?.toUpperCase().replace(/\s+/g, ' ');
}
