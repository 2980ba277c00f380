// Where the project's own folders are, whatever folder it is started from.
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..');
export const LAMBDA = join(ROOT, 'lambda');
export const MIGRATIONS = join(ROOT, 'migrations');
