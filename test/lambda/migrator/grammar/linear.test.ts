// Every character that opens something, ten thousand times and ten times as often: the time grows with the text.
import { BackstopError } from '../../../../lambda/migrator/model/errors.ts';
import { readSections } from '../../../../lambda/migrator/revisions/sql-file.ts';
import { reader } from '../../../setup/revisions.ts';

const read = (text: string) => {
  const started = process.cpuUsage();
  try {
    readSections({ text, path: 'x.sql' }, 'step', reader);
  } catch (error) {
    if (!(error instanceof BackstopError)) throw error;
  }
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1000;
};

// PostgreSQL's own scanner is quadratic in block comments that touch each other.
test.each([
  ['dashes', '-'],
  ['quotes', "'"],
  ['double quotes', '"'],
  ['dollars', '$'],
  ['dollar tags', '$a$'],
  ['semicolons', ';'],
  ['line comments', '--\n'],
  ['banners', '-- ---\n-- step: x\nSELECT 1;\n'],
  ['block comments', '/* */ '],
  ['backslashes', '\\'],
  ['escapes', "E'\\'"],
  ['brackets', '('],
  ['statements', 'SELECT 1;\n'],
  ['carriage returns', '\r'],
])('%s', (_what, part) => {
  read(`SELECT 1;\n${part.repeat(1_000)}`);
  const [few, many] = [10_000, 100_000].map((count) => read(`SELECT 1;\n${part.repeat(count)}`)) as [
    number,
    number,
  ];
  // Ten times the text; a hundred times the time would be quadratic.
  expect(many).toBeLessThan(40 * few + 1_000);
});
