// All verbs, in the order in which the help lists them.
import type { Verb } from '../verb.ts';
import { checkVerb } from './check.ts';
import { currentVerb } from './current.ts';
import { downgradeVerb } from './downgrade.ts';
import { finalizeVerb } from './finalize.ts';
import { headsVerb } from './heads.ts';
import { historyVerb } from './history.ts';
import { logVerb } from './log.ts';
import { revisionVerb } from './revision.ts';
import { showVerb } from './show.ts';
import { stampVerb } from './stamp.ts';
import { statusVerb } from './status.ts';
import { upgradeVerb } from './upgrade.ts';

export const verbs: readonly Verb[] = [
  upgradeVerb,
  downgradeVerb,
  finalizeVerb,
  currentVerb,
  historyVerb,
  headsVerb,
  showVerb,
  checkVerb,
  statusVerb,
  stampVerb,
  logVerb,
  revisionVerb,
];
