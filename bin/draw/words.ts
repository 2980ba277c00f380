// Words that the picture adds to the definition: the way straight to success, the way back, and short words on the ways
// out of a state. A test fails if the definition does not have one of them.

/** State → state → the words on the way between them. */
export const WORDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'What is to do?': {
    'Take snapshot': 'revisions to run',
    'Which way?': 'without snapshot',
    Validate: 'nothing to run',
    'Validate downgrade': 'down already',
    Summarize: 'plan only',
  },
  'Snapshot available?': { 'Which way?': 'yes' },
  'Which way?': { Migrate: 'up', 'Downgrade on request': 'down' },
  Migrate: { Reconcile: 'answer lost' },
  'Was it committed?': { Validate: 'yes' },
  'Valid?': { 'Finalize?': 'yes', Downgrade: 'no, own work' },
  'Finalize?': { Finalize: 'now', 'Schedule finalize': 'later', Summarize: 'no' },
  'Downgrade valid?': { Summarize: 'as asked' },
};

/** Choice → where it leads when all goes well. */
export const STRAIGHT: Readonly<Record<string, string>> = {
  'What is to do?': 'Take snapshot',
  'Snapshot available?': 'Which way?',
  'Which way?': 'Migrate',
  'Valid?': 'Finalize?',
  'Finalize?': 'Finalize',
};

/** Choice → where it leads when the result is wrong and is taken back. */
export const BACK: Readonly<Record<string, string>> = {
  'Valid?': 'Downgrade',
  'Downgrade valid?': 'Failed, downgraded',
};
