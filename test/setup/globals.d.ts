// What the set-up of the tests hands to their end.
import type { LocalServer } from '../../lib/local/server/index.ts';

declare global {
  var backstopTestServer: LocalServer | undefined;
}
