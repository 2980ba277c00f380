// A page of docs/, taken apart: its commands, the names in it, its tables and links.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '../../lib/paths.ts';

export interface Page {
  readonly text: string;
  /** The text without its blocks of code. */
  readonly prose: string;
}

export function readPage(path: string): Page {
  const text = readFileSync(join(ROOT, path), 'utf8');
  return { text, prose: text.replace(/^ *```[\s\S]*?^ *```$/gm, '') };
}

/** The blocks of code in one language, without the indentation of the list that they may be in. */
export function blocksOf({ text }: Page, language: string): string[] {
  const blocks = text.matchAll(new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\`$`, 'gm'));
  return [...blocks].map(([, indent = '', block = '']) =>
    block.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
}

/** The commands of all blocks for the shell, one a line. */
export function commandsOf(page: Page): string[] {
  return blocksOf(page, 'sh')
    .flatMap((block) => block.replaceAll(/\\\n\s*/g, '').split('\n'))
    .map((line) => line.replace(/\s+#.*/, '').trim())
    .filter(Boolean);
}

/** The texts between backticks in the prose. */
export function namesOf({ prose }: Page): string[] {
  return [...new Set([...prose.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name))];
}

/** The rows of the table whose first head is this; cells without their backticks. */
export function tableOf({ text }: Page, head: string): string[][] {
  const [table] =
    new RegExp(`^\\| ${head} +\\|.*\\n\\|[ |-]*\\n((?:\\|.*\\n)*)`, 'm').exec(text)?.slice(1) ?? [];
  return (table ?? '')
    .split('\n')
    .filter(Boolean)
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.replaceAll('`', '').trim()),
    );
}

/** The sections below the headings of the third level, by heading. */
export function sectionsOf(text: string): ReadonlyMap<string, string> {
  const parts = text.split(/^### /m).slice(1);
  return new Map(parts.map((part) => [part.split('\n')[0] ?? '', part.slice(part.indexOf('\n') + 1)]));
}

/** The links that lead nowhere: to a file that is not there, or to a heading that the file does not have. */
export function brokenLinks({ text }: Page, path: string): string[] {
  const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link);
  return links.filter((link) => {
    if (link.startsWith('https://')) return false;
    const [file = '', anchor] = link.split('#');
    const target = file ? join(dirname(path), file) : path;
    if (!existsSync(join(ROOT, target))) return true;
    return anchor !== undefined && !anchorsOf(target).includes(anchor);
  });
}

function anchorsOf(path: string): string[] {
  const headings = readPage(path).prose.matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
}
