// What the picture says beside the definition: the way that leads straight to success, the way back, and short words
// on the ways out of a state. What the definition no longer has, is not drawn; a test names it.

/** State → state → what is written on the way between them. */
export const WORDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'What is to do?': {
    'Snapshot wanted?': 'revisions to run',
    Validate: 'nothing to run',
    'Validate downgrade': 'down already',
    Summarize: 'plan only',
  },
  'Snapshot wanted?': { 'Take snapshot': 'yes', 'Which way?': 'no' },
  'Snapshot available?': { 'Which way?': 'yes', 'Wait for snapshot': 'not yet' },
  'Which way?': { Migrate: 'up', 'Downgrade on request': 'down' },
  Migrate: { Reconcile: 'answer lost' },
  'Was it committed?': { Validate: 'yes' },
  'Valid?': { 'Finalize?': 'yes', 'Step back?': 'no' },
  'Step back?': { Downgrade: 'own work' },
  'Finalize?': { Finalize: 'now', 'Schedule finalize': 'later', Summarize: 'no' },
  'Downgrade valid?': { Summarize: 'as asked' },
};

/** Choice → where it leads when all goes well. */
export const STRAIGHT: Readonly<Record<string, string>> = {
  'What is to do?': 'Snapshot wanted?',
  'Snapshot wanted?': 'Take snapshot',
  'Snapshot available?': 'Which way?',
  'Which way?': 'Migrate',
  'Valid?': 'Finalize?',
  'Finalize?': 'Finalize',
};

/** Choice → where it leads when the result is wrong and is taken back. */
export const BACK: Readonly<Record<string, string>> = {
  'Valid?': 'Step back?',
  'Step back?': 'Downgrade',
  'Downgrade valid?': 'Validation failed, downgraded',
};
