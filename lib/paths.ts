// The folders of the project, independent of the folder that a program is started from.
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..');
export const LAMBDA = join(ROOT, 'lambda');
export const MIGRATIONS = join(ROOT, 'migrations');
