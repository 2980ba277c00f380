// `doctor`: whether the account, the network and the databases fit the configuration, and whether the deployed stack works.
import type { NamedFinding } from '../doctor/finding.ts';
import { DONE, FAILED } from '../exit-status.ts';
import type { Terminal } from '../terminal.ts';
import type { Call, Verb } from '../verb.ts';

interface DoctorOptions {
  readonly config?: string;
  readonly plan?: boolean;
}

export const doctorVerb: Verb = {
  name: 'doctor',
  description: 'Check the AWS account against the configuration, and the deployed stack.',
  options: [
    {
      flags: '--config <file>',
      description:
        'the configuration, a path from the root of the project (default: context.backstop of cdk.json)',
    },
    { flags: '--no-plan', description: 'do not start the state machine' },
  ],
  example: 'npx backstop doctor --config production.json',
  offline: true,
  async run({ options, terminal, tell }: Call<DoctorOptions>) {
    // Loaded only now: the other verbs need no SDK of AWS.
    const { examine } = await import('../doctor/examine.ts');
    const findings = await examine({
      config: options.config,
      database: options.database,
      plan: options.plan !== false,
      show: (finding) => {
        for (const line of describe(finding, terminal)) tell(line);
      },
    });
    const count = (wanted: NamedFinding['outcome']) =>
      findings.filter(({ outcome }) => outcome === wanted).length;
    return {
      lines: [
        `${count('good')} good, ${count('bad')} bad, ${count('warning')} to look at, ${count('unknown')} not checked.`,
      ],
      json: { findings },
      status: count('bad') > 0 ? FAILED : DONE,
    };
  },
};

const SIGNS = {
  good: { sign: '✅', word: 'OK', color: 'good' },
  bad: { sign: '❌', word: 'FAILED', color: 'bad' },
  warning: { sign: '⚠️', word: 'ATTENTION', color: 'warning' },
  unknown: { sign: '❔', word: 'UNKNOWN', color: 'faint' },
} as const;

/** One line, or several if a plan says more; then the remedy. */
function describe({ check, outcome, message, hint }: NamedFinding, { paint, unicode }: Terminal): string[] {
  const { sign, word, color } = SIGNS[outcome];
  const [first = '', ...more] = message.split('\n');
  return [
    paint[color](`${unicode ? sign : word} ${check}: ${first}`),
    ...more.map((line) => `   ${line}`),
    ...(hint === undefined ? [] : [`   HINT:  ${hint}`]),
  ];
}
