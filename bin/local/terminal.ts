// The output of `npm start`: each state as it runs, its log, a bar for slow work, and the report at the end.
import { SingleBar } from 'cli-progress';
import colors from 'picocolors';
import { printable, printableLines, toJson } from '../../lambda/migrator/model/printable.ts';
import type { ExecutionEvent, VisitedState } from '../../lib/twin/execution.ts';
import type { LocalReport } from './report.ts';

export interface Display {
  /** Work begins that is not a state of the machine. */
  stage(text: string): void;
  /** How much of the work is done. */
  progress(done: number, total: number): void;
  event(event: ExecutionEvent): void;
  report(report: LocalReport): void;
}

/** For `--json`: only the report. */
export function jsonDisplay(output: NodeJS.WriteStream): Display {
  return {
    stage: () => {},
    progress: () => {},
    event: () => {},
    report: (report) => output.write(`${toJson(report, 2)}\n`),
  };
}

/** For people: bars on a terminal only, colors unless NO_COLOR is set. */
export function terminalDisplay(output: NodeJS.WriteStream): Display {
  const print = (text: string) => output.write(`${text}\n`);
  const bar = new Bar(output);
  return {
    stage(text) {
      bar.end();
      print(colors.bold(text));
    },
    progress: (done, total) => bar.show(done, total),
    event(event) {
      if (event.type === 'left') bar.end();
      const line = describe(event);
      if (line !== undefined) print(line);
    },
    report(report) {
      bar.end();
      print(summary(report));
    },
  };
}

function describe(event: ExecutionEvent): string | undefined {
  switch (event.type) {
    case 'entered':
      return event.kind === 'Task' ? `${colors.cyan('▸')} ${colors.bold(event.state)}` : undefined;
    case 'left':
      return describeLeft(event.state);
    case 'log':
      return describeLog(event.line);
  }
}

function describeLeft({ type, name, durationMs, retries, error, waited }: VisitedState): string | undefined {
  if (type === 'Fail') return `${colors.red('✗')} ${colors.bold(name)}`;
  if (type === 'Succeed') return `${colors.green('✓')} ${colors.bold(name)}`;
  if (type === 'Wait') return colors.dim(`  ${name}: ${here(waited)} s here, ${waited?.inAws} s in AWS`);
  if (type !== 'Task') return undefined;
  const mark = error === undefined ? colors.green('✓') : colors.red('✗');
  const again =
    retries > 0
      ? `, ${retries} ${retries === 1 ? 'retry' : 'retries'} after ${here(waited)} s here, at most ${waited?.inAws} s in AWS`
      : '';
  return `  ${mark} ${seconds(durationMs)}${again}${error === undefined ? '' : colors.red(` ${error}`)}`;
}

function here(waited: VisitedState['waited']): string {
  return (waited?.here ?? 0).toFixed(1);
}

const LEVELS: Readonly<Record<string, (text: string) => string>> = {
  INFO: colors.dim,
  WARN: colors.yellow,
  ERROR: colors.red,
};

function describeLog(line: Record<string, unknown> | string): string | undefined {
  // Metrics are for CloudWatch only.
  if (typeof line !== 'string' && '_aws' in line) return undefined;
  const [text, level] =
    typeof line === 'string' ? [line, 'INFO'] : [String(line.message), String(line.level)];
  const paint = LEVELS[level] ?? ((plain: string) => plain);
  return text
    .split('\n')
    .map((part) => paint(`    ${printable(part)}`))
    .join('\n');
}

function summary(report: LocalReport): string {
  const { execution, steps, snapshot, retired, exclusiveMs, functions, durationMs } = report;
  const paint = execution.status === 'SUCCEEDED' ? colors.green : colors.red;
  const longest = Object.entries(exclusiveMs).sort(([, a], [, b]) => b - a)[0];
  const facts: [string, string][] = [
    [
      'execution',
      `${execution.name}, ${execution.states.length} states, ${execution.events} events, ${seconds(execution.durationMs)}`,
    ],
    [
      'steps',
      `${steps.length}, ${seconds(steps.reduce((sum, step) => sum + step.durationMs, 0))} in the database`,
    ],
    ['snapshot', snapshot ? `${snapshot.id} (${snapshot.status})` : 'none'],
    ['retired', retired.length === 1 ? '1 table' : `${retired.length} tables`],
    ['locks', longest ? `ACCESS EXCLUSIVE for at most ${Math.round(longest[1])} ms` : 'none'],
    [
      'memory',
      `at most ${Math.round(Math.max(0, ...Object.values(functions).map((f) => f.peakMemoryMb)))} MiB a function`,
    ],
    ['total', seconds(durationMs)],
  ];
  return [
    '',
    `${paint(colors.bold(execution.status))} ${printableLines(report.message)}`,
    '',
    ...facts.map(([name, value]) => `  ${colors.dim(name.padEnd(10))}${value}`),
  ].join('\n');
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

/** Shows one progress bar at a time, and none without a terminal. */
export class Bar {
  readonly #output: NodeJS.WriteStream;
  #bar: SingleBar | undefined;

  constructor(output: NodeJS.WriteStream) {
    this.#output = output;
  }

  show(done: number, total: number): void {
    if (!this.#output.isTTY) return;
    if (!this.#bar) {
      this.#bar = new SingleBar({
        format: '  {bar} {percentage}% {value}/{total}',
        stream: this.#output,
        hideCursor: true,
        clearOnComplete: true,
      });
      this.#bar.start(total, done);
    }
    this.#bar.update(done);
    if (done >= total) this.end();
  }

  end(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}
