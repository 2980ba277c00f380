// The process that synthesizes the stack for all tests: `synthesize.ts <folder>`.
import { synthesize } from '../../lib/synthesize.ts';
import { localDatabases } from '../../lib/twin/databases.ts';

const [folder = ''] = process.argv.slice(2);
synthesize(folder, { allowDrills: true, databases: localDatabases() });
