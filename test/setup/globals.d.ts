// What the set-up of the tests hands to their end.
import type { LocalServer } from '../../lib/twin/server.ts';

declare global {
  var backstopTestServer: LocalServer | undefined;
}
