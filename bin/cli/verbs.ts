// All verbs, in the order of the help.
import type { Verb } from './verb.ts';
import { checkVerb } from './verbs/check.ts';
import { currentVerb } from './verbs/current.ts';
import { doctorVerb } from './verbs/doctor.ts';
import { downgradeVerb } from './verbs/downgrade.ts';
import { finalizeVerb } from './verbs/finalize.ts';
import { fingerprintVerb } from './verbs/fingerprint.ts';
import { headsVerb } from './verbs/heads.ts';
import { historyVerb } from './verbs/history.ts';
import { logVerb } from './verbs/log.ts';
import { revisionVerb } from './verbs/revision.ts';
import { showVerb } from './verbs/show.ts';
import { stampVerb } from './verbs/stamp.ts';
import { statusVerb } from './verbs/status.ts';
import { upgradeVerb } from './verbs/upgrade.ts';

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
  fingerprintVerb,
  stampVerb,
  logVerb,
  revisionVerb,
  doctorVerb,
];
