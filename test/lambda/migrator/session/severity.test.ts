// The severity of notices: read from the bytes of the connection, however they arrive.
import { SeverityReader } from '../../../../lambda/migrator/session/severity.ts';

function message(type: string, body: string): Buffer {
  const bytes = Buffer.from(`${type}\0\0\0\0${body}`, 'utf8');
  bytes.writeInt32BE(bytes.length - 1, 1);
  return bytes;
}

const STREAM = Buffer.concat([
  message('D', 'SNOTICE\0VNOT ONE\0'.repeat(100)),
  message('N', 'SHINWEIS\0VNOTICE\0C00000\0MVery long\0\0'),
  message('Z', 'I'),
  message('N', `SINFO\0VINFO\0C00000\0M${'long '.repeat(1_000)}\0\0`),
  message('N', 'SOLD\0C00000\0Mfrom a server without the field\0\0'),
  message('E', 'SERROR\0VERROR\0C00000\0M\0\0'),
  message('N', 'SWARNUNG\0VWARNING\0C01000\0M\0\0'),
]);

test.each([1, 2, 3, 7, 64, STREAM.length])('is the same in pieces of %i bytes', (size) => {
  const found: string[] = [];
  const reader = new SeverityReader((severity) => found.push(severity));
  for (let at = 0; at < STREAM.length; at += size) reader.read(STREAM.subarray(at, at + size));
  expect(found).toEqual(['NOTICE', 'INFO', '', 'WARNING']);
});
