// The readings that travel with the functions: the same as the grammar's own, and none for a file that was changed since.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundledReader, READINGS_FILE, readFolder } from '../../../../lambda/migrator/grammar/bundled.ts';
import { readChain } from '../../../../lambda/migrator/revisions/chain.ts';
import { MIGRATIONS } from '../../../../lib/paths.ts';
import { inFolder, reader, revisionFiles } from '../../../setup/revisions.ts';

const FILES = revisionFiles({
  id: '001',
  upgrade: ["SELECT 'é';", 'DO $$ BEGIN NULL; END $$;'],
  checks: { 'after-upgrade': ['SELECT 1 WHERE false;'] },
});

/** A folder whose readings were written before `change`. */
const bundled = <T>(change: (folder: string) => void, work: (folder: string) => T): T =>
  inFolder({ ...FILES, '002/upgrade.sql': '-- x\nSELEC 1;', '002/downgrade.sql': '' }, (folder) => {
    writeFileSync(join(folder, READINGS_FILE), JSON.stringify(readFolder(folder, reader)));
    change(folder);
    return work(folder);
  });

test('a bundled folder reads the same, faults included', () => {
  bundled(
    () => {},
    (folder) => {
      const read = bundledReader(folder);
      for (const name of [
        '001/upgrade.sql',
        '001/verify/after-upgrade.sql',
        '002/upgrade.sql',
        '002/downgrade.sql',
      ]) {
        const text = readFileSync(join(folder, name), 'utf8');
        expect(read(text)).toEqual(reader(text));
      }
    },
  );
});

test('a file that was changed after it was bundled needs another deployment', () => {
  bundled(
    (folder) => appendFileSync(join(folder, '001/downgrade.sql'), 'SELECT 2;'),
    (folder) => {
      const read = bundledReader(folder);
      expect(() => read('SELECT 2;')).toThrow(
        expect.objectContaining({ name: 'ConfigurationError', hint: 'Deploy again.' }),
      );
    },
  );
});

test('the readings of every revision that is deployed can be run', () => {
  for (const name of ['codebase_mcp', 'socrates_auth', 'socrates_specs']) {
    for (const { upgrade, downgrade, finalize, checks } of readChain(join(MIGRATIONS, name), reader)
      .revisions) {
      for (const script of [upgrade, downgrade, ...(finalize ? [finalize] : [])])
        expect(script.steps).not.toEqual([]);
      expect(Object.values(checks).flat()).not.toEqual([]);
    }
  }
});
