// Values that the setup of the tests leaves for their teardown.
import type { LocalServer } from '../../lib/twin/server.ts';
import type { Synthesis } from './assembly.ts';

declare global {
  var backstopTestRun:
    | { readonly folder: string; readonly server: LocalServer; readonly synthesis: Synthesis }
    | undefined;
}
