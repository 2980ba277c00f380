// `check`: runs the checks of the revision that the database is at, and prints the verdict.
import { validate } from '../../../lambda/migrator/inspect.ts';
import { describeOmitted } from '../../../lambda/migrator/model/bounded.ts';
import { describeViolations, seconds } from '../../../lambda/migrator/model/describe.ts';
import { BackstopError } from '../../../lambda/migrator/model/errors.ts';
import { toJson } from '../../../lambda/migrator/model/printable.ts';
import type { CheckReport, GatherReport, ValidationReport } from '../../../lambda/migrator/model/report.ts';
import { verdictLines } from '../../../lambda/migrator/model/verdict.ts';
import { PHASES, type Phase } from '../../../lambda/migrator/revisions/check.ts';
import { selectDatabase } from '../databases.ts';
import { DONE, FAILED } from '../exit-status.ts';
import type { Terminal } from '../terminal.ts';
import type { Call, Verb } from '../verb.ts';
import type { Voice } from '../voice/voice.ts';
import { voiceOf } from '../voice.ts';

export const checkVerb: Verb = {
  name: 'check',
  args: [['[phase]', `one of ${PHASES.join(', ')}; default: after-upgrade`]],
  description: 'Run the checks of the current revision; exit status 1 if one fails.',
  options: [{ flags: '-v, --verbose', description: 'print every check with its number' }],
  example: 'npx backstop check after-downgrade',
  async run(call: Call<{ readonly verbose?: boolean }>) {
    const phase = readPhase(call.args[0] ?? 'after-upgrade');
    const options = selectDatabase(call);
    const report = await validate(options, phase);
    const { verbose = false } = call.options;
    const voice = voiceOf(options.database, call.terminal);
    const shown = verbose ? report.checks.map(withNumber) : report.checks;
    return {
      lines: [
        ...(verbose ? (report.gathered ?? []).map(describeGathered) : []),
        ...describeVerdict({ ...report, checks: shown }, call.terminal, voice),
      ],
      json: { database: options.database.definition.name, ...report },
      status: report.passed ? DONE : FAILED,
    };
  },
};

function readPhase(text: string): Phase {
  const phase = PHASES.find((known) => known === text);
  if (phase) return phase;
  throw new BackstopError('InvalidInput', {
    message: `There is no phase "${text}"`,
    hint: `Use one of: ${PHASES.join(', ')}.`,
  });
}

function withNumber(check: CheckReport): CheckReport {
  return { ...check, shownAs: [`${check.id} ${check.title}`] };
}

function describeGathered({ title, rows, durationMs }: GatherReport): string {
  return `Gathered for the checks in ${seconds(durationMs)}: ${title} (${rows} ${rows === 1 ? 'row' : 'rows'})`;
}

function describeVerdict(report: ValidationReport, terminal: Terminal, voice: Voice): string[] {
  const { revision, phase, checks, durationMs } = report;
  if (checks.length === 0) return [`Revision ${revision} has no checks ${phase.replace('-', ' the ')}`];
  const { paint, unicode } = terminal;
  const [tick, cross] = unicode ? ['✓', '✗'] : ['ok', 'FAILED'];
  const lines = verdictLines(checks);
  const omitted = report.omitted?.checks ?? 0;
  const passed = lines.filter((line) => line.passed).length + omitted;
  return [
    ...lines.flatMap((line) =>
      line.passed
        ? [paint.good(`${tick} ${line.text}`)]
        : [paint.bad(`${cross} ${line.text}`), ...line.failed.map(describeFailed)],
    ),
    ...(omitted > 0 ? [describeOmitted(omitted)] : []),
    ...voice.verdict({ phase, passed, failed: lines.length + omitted - passed, durationMs }),
  ];
}

function describeFailed({ id, title, violations, rows, source }: CheckReport): string {
  const first = violations === 1 ? '' : ', the first';
  const all = source === undefined ? '' : `; its query shows the rows: ${source}`;
  return `    ${id} ${title}: ${describeViolations(violations)}${first}: ${toJson(rows[0])}${all}`;
}
