// No words of an error decide anything: they may be in any language, and the next version may have others.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../lib/paths.ts';

/** The fields of an error or a notice that are words, as they are read: `error.message`, or `message` alone. */
const WORDS = String.raw`\b(?:message|detail|hint|where|reason)\b(?! *:)`;
/** The methods that look into a text. */
const LOOKS = '(?:test|exec|match|matchAll|search|includes|indexOf|lastIndexOf|startsWith|endsWith)';
const EITHER = [
  // `/words/.test(error.message)`, `LIST.includes(message)`
  String.raw`\.${LOOKS}\((?:[^()]|\([^()]*\))*?${WORDS}`,
  // `error.message.toLowerCase().includes('words')`
  String.raw`${WORDS}[\w.()]*\.${LOOKS}\(`,
  // `error.message === 'words'`
  `${WORDS} [!=]==? (?!undefined)`,
  String.raw`[!=]==? [\w.]*${WORDS}`,
  String.raw`switch \([\w.]*${WORDS}`,
];
const DECISION = new RegExp(EITHER.join('|'));

/** The decisions that may be, with their reasons. */
const ALLOWED: Readonly<Record<string, string>> = {
  "lambda/migrator/session/sqlstate.ts: const line = /inline_code_block\\D*(\\d+)/.exec(where.slice(where.lastIndexOf('inline_code_block')))?.[1];":
    'finds the line to show; inline_code_block is a name, which is not translated',
  "lambda/migrator/session/server-words.ts: const isOwn = name === undefined && where.includes('inline_code_block') && !where.includes('\\n');":
    'decides whose words they are; inline_code_block is a name, which is not translated',
  'lambda/migrator/session/server-words.ts: const frame = FRAME.exec(where);':
    'finds the name of a function, which is not translated',
  'lambda/migrator/session/server-words.ts: const quoted = [...message.matchAll(/"([^"]*)"|«\\s?([^»]*?)\\s?»|»([^«]*)«|„([^“]*)“|“([^”]*)”/g)];':
    'decides which words are printed, and knows the quotation marks of any language',
  'lambda/migrator/session/server-words.ts: const last = quoted.length === 0 ? BEHIND_COLON.exec(message)?.[1] : undefined;':
    'decides which words are printed',
  'lambda/migrator/session/server-words.ts: return message === whole && detail === undefined ? { message } : { message, detail: ELSEWHERE };':
    'decides whether words were left out',
  'lambda/migrator/database/remembered.ts: const [whole, words, code] = SERVER_ERROR.exec(message) ?? [];':
    'a text of Backstop itself, in the history',
  'lambda/migrator/database/remembered.ts: const isOurs = detail?.endsWith(ELSEWHERE) || known.detail === detail;':
    'a text of Backstop itself, in the history',
  "lambda/migrator/database/remembered.ts: detail: isOurs && !CONTEXT.test(detail ?? '') ? detail : ELSEWHERE,":
    'decides which words of the history are printed',
  "lambda/notification.ts: if (summary.message.includes('HINT:')) return '';":
    'a text of Backstop itself, which has its remedy or not',
  "bin/cli/doctor/deployed.ts: if (isAnswered(error) && (error as Error).message.endsWith('does not exist')) return undefined;":
    'CloudFormation has one code for every fault of a request, and speaks English',
  "bin/cli/doctor/finding.ts: return unknown([summary, detail].filter(Boolean).join(': '), DENIED.test(detail) ? ALLOW : hint);":
    'a text of Backstop itself, which begins with the code of AWS',
};

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `${folder}/${file}`);
}

/** The lines of a source that decide by words, without those of comments. */
function decisionsByWords(source: string): string[] {
  return source
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => !/^(\/\/|\/?\*)/.test(line) && DECISION.test(line));
}

test.each(['lambda', 'bin/cli', 'lib/twin'])('nothing in %s decides by the words of an error', (folder) => {
  const decisions = sources(folder).flatMap((file) =>
    decisionsByWords(readFileSync(join(ROOT, file), 'utf8')).map((decision) => `${file}: ${decision}`),
  );
  expect(decisions.filter((decision) => !(decision in ALLOWED))).toEqual([]);
});

test('every allowed decision is still there', () => {
  const files = [...new Set(Object.keys(ALLOWED).map((decision) => decision.split(': ')[0] as string))];
  const decisions = files.flatMap((file) =>
    decisionsByWords(readFileSync(join(ROOT, file), 'utf8')).map((decision) => `${file}: ${decision}`),
  );
  expect(decisions).toEqual(expect.arrayContaining(Object.keys(ALLOWED)));
});

test.each([
  '/terminated/.test(error.message)',
  '/terminated/i.test((error as Error).message)',
  "message.includes('timeout')",
  "error.message.toLowerCase().startsWith('no')",
  "error.message === 'Query read timeout'",
  "switch (error.message) { case 'x': }",
  '/line (\\d+)/.exec(error.where)',
])('%s would be found', (source) => {
  expect(decisionsByWords(source)).not.toEqual([]);
});
