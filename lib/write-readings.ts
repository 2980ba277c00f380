// A program that reads all revisions by PostgreSQL's grammar: `node write-readings.ts MIGRATIONS FILE`.
import { writeFileSync } from 'node:fs';
import { readFolder } from '../lambda/migrator/grammar/bundled.ts';
import { loadReader } from '../lambda/migrator/grammar/postgres.ts';

const [migrations = '', file = ''] = process.argv.slice(2);
writeFileSync(file, JSON.stringify(readFolder(migrations, await loadReader())));
