// The terminal through which every line goes: text that others wrote can neither control it nor forge a line.
import { randomBytes } from 'node:crypto';
import { printable } from '../../lambda/migrator/model/printable.ts';
import type { Terminal } from './terminal.ts';

type Color = keyof Terminal['paint'];

/**
 * The terminal, which prints a line as one line, and escapes everything in it that a terminal obeys. Colors are marked with
 * a secret until then: a line that holds the codes of a color gets no color.
 */
export function safeTerminal(terminal: Terminal): Terminal {
  const secret = randomBytes(16).toString('hex');
  const marked = new RegExp(`<${secret}:(good|bad|warning|faint)>(.*?)</${secret}>`, 'gs');
  const paint = (color: Color) => (text: string) => `<${secret}:${color}>${text}</${secret}>`;
  const shown = (line: string) =>
    printable(line).replace(marked, (_, color: Color, text: string) => terminal.paint[color](text));
  const { ask } = terminal;
  return {
    ...terminal,
    out: (line) => terminal.out(shown(line)),
    err: (line) => terminal.err(shown(line)),
    ask: ask && ((question) => ask(shown(question))),
    paint: { good: paint('good'), bad: paint('bad'), warning: paint('warning'), faint: paint('faint') },
  };
}
