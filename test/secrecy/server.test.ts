// An embedded server does not show the password of its administrator.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { startEmbedded } from '../../lib/twin/server/embedded.ts';
import { processes } from './secret-scan.ts';

const everything = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => join(folder, path))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());

test('the password of an embedded server is in no file, no argument and no environment of a process', async () => {
  const { password, tls, stop } = await startEmbedded();
  const home = dirname(dirname(tls === 'off' ? '' : (tls.caFile ?? '')));
  const files = everything(home);
  expect(files.length).toBeGreaterThan(100);
  expect(files.filter((path) => readFileSync(path).includes(password))).toEqual([]);
  expect(processes().filter((each) => JSON.stringify(each).includes(password))).toEqual([]);
  await stop();
});
