// The prose of a file: comments, texts and Markdown stay where they are, everything else is blanked out.

/** Takes the place of code, so that no phrase is found across it. Not white space, not a letter. */
const CODE = '\u0000';
/** Takes the place of a value that is put into a text, and of quoted code. */
export const VALUE = '□';

const ESCAPED_OR = (end: string) => `(?:\\\\[\\s\\S]|[^${end}\\\\])*`;
const TYPESCRIPT = new RegExp(
  [
    /(?<block>\/\*[\s\S]*?\*\/)/.source,
    /(?<line>\/\/[^\n]*(?:\n[^\S\n]*\/\/[^\n]*)*)/.source,
    `(?<text>'${ESCAPED_OR("'\\n")}'|"${ESCAPED_OR('"\\n')}")`,
    '(?<template>`)',
    // A regular expression may hold quotes; it follows an operator, a bracket or `return`.
    /(?<=(?:^|[(,=:[!&|?{};\n]|=>|return)\s*)(?<pattern>\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*)/
      .source,
  ].join('|'),
  'g',
);
const SQL = /(?<line>--[^\n]*(?:\n[^\S\n]*--[^\n]*)*)|(?<block>\/\*[\s\S]*?\*\/)|(?<text>'(?:''|[^'])*')/g;
const MARKDOWN_CODE = /^ *(```|~~~)[\s\S]*?^ *\1|<!--[\s\S]*?-->|\]\([^)]*\)/gm;

/** Returns the text of the file, line for line, with only its prose left. Files of other types have no prose. */
export function proseOf(file: string, text: string): string {
  if (file.endsWith('.md')) return hideQuoted(text.replace(MARKDOWN_CODE, blank));
  if (/\.[jt]s$/.test(file)) return hideQuoted(keep(text, TYPESCRIPT));
  if (file.endsWith('.sql')) return hideQuoted(keep(text, SQL));
  return blank(text);
}

/** Keeps what `tokens` finds in a text, and blanks out the rest. */
function keep(text: string, tokens: RegExp): string {
  let kept = '';
  let end = 0;
  for (let at = 0; ; at = end) {
    tokens.lastIndex = at;
    const match = tokens.exec(text);
    if (!match) return kept + blank(text.slice(at));
    const found = match[0];
    const { template, pattern, line, block } = match.groups ?? {};
    end = template ? endOfTemplate(text, match.index) : match.index + found.length;
    kept += blank(text.slice(at, match.index));
    if (template) kept += templateText(text.slice(match.index, end));
    else if (pattern) kept += blank(found);
    else if (line || block) kept += commentText(found);
    else kept += `${CODE}${found.slice(1, -1)}${CODE}`;
  }
}

/** The marks of a comment become white space: a sentence goes on from line to line. */
function commentText(comment: string): string {
  const inside = comment.replace(/^(\/\*+|\/\/|--)/, blank).replace(/\*+\/$/, blank);
  return inside.replace(/^[^\S\n]*(\*|\/\/|--)/gm, (mark) => ' '.repeat(mark.length));
}

function templateText(template: string): string {
  let text = '';
  for (let at = 0; at < template.length; ) {
    if (template.startsWith('${', at)) {
      const end = endOfValue(template, at);
      text += VALUE + '\n'.repeat(template.slice(at, end).split('\n').length - 1);
      at = end;
    } else {
      text += template[at] === '`' ? CODE : template[at];
      at += 1;
    }
  }
  return text;
}

/** Where the template that begins at `start` is over. */
function endOfTemplate(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '`') return at + 1;
    else if (text.startsWith('${', at)) at = endOfValue(text, at) - 1;
  }
  return text.length;
}

/** Where the value that begins at `start` with a dollar sign is over; it may hold texts and templates. */
function endOfValue(text: string, start: number): number {
  let depth = 0;
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text[at] as string;
    if (char === '{') depth += 1;
    else if (char === '`') at = endOfTemplate(text, at) - 1;
    else if (char === "'" || char === '"') at = endOfText(text, at) - 1;
    else if (char === '}' && --depth === 0) return at + 1;
  }
  return text.length;
}

function endOfText(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === text[start]) return at + 1;
  }
  return text.length;
}

/** Quoted code is a name in a sentence, whatever its words are. */
function hideQuoted(prose: string): string {
  return prose.replace(/`[^`\n]+`|\{@link [^}\n]+\}|<[^>\n]+>/g, VALUE);
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, CODE);
}
