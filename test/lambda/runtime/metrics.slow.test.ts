// Metrics of the functions: the lines that CloudWatch reads, from real executions and from nonsense.
import { emitMetrics, type Measures, measureRun } from '../../../lambda/runtime/metrics.ts';
import type { Execution } from '../../../lib/twin/execution.ts';
import { makeTwin, type Run } from '../../machine/twin.ts';

interface MetricLine extends Record<string, unknown> {
  readonly _aws: {
    readonly CloudWatchMetrics: {
      readonly Namespace: string;
      readonly Dimensions: string[][];
      readonly Metrics: { readonly Name: string; readonly Unit: string }[];
    }[];
  };
  readonly step: string;
}

function metricLines({ events }: Run): MetricLine[] {
  return events.flatMap((event) =>
    event.type === 'log' && typeof event.line === 'object' && '_aws' in event.line
      ? [event.line as unknown as MetricLine]
      : [],
  );
}

/** Step → metric → unit. A step that runs more than once has the metrics of all its runs. */
function unitsByStep(lines: readonly MetricLine[]): Record<string, Record<string, string>> {
  const units: Record<string, Record<string, string>> = {};
  for (const { step, _aws } of lines) {
    const metrics = _aws.CloudWatchMetrics.flatMap(({ Metrics }) => Metrics);
    units[step] = { ...units[step], ...Object.fromEntries(metrics.map(({ Name, Unit }) => [Name, Unit])) };
  }
  return units;
}

const valuesOf = (lines: readonly MetricLine[], step: string, name: string) =>
  lines.filter((line) => line.step === step).flatMap((line) => (name in line ? [line[name]] : []));

const DURATION = { Duration: 'Milliseconds' };
const RUN = {
  ...DURATION,
  RunDuration: 'Milliseconds',
  ExclusiveLock: 'Milliseconds',
  RowsWritten: 'Count',
  WalWritten: 'Bytes',
  Attempts: 'Count',
};

describe('an execution', () => {
  let run: Run;
  let lines: MetricLine[];
  beforeAll(async () => {
    await using twin = await makeTwin();
    run = await twin.execute({});
    lines = metricLines(run);
  });

  test('measures each of its steps, and nothing without a unit', () => {
    expect(unitsByStep(lines)).toEqual({
      'Resolve input': DURATION,
      Preflight: DURATION,
      Snapshot: { ...DURATION, SnapshotDuration: 'Seconds' },
      Migrate: RUN,
      Validate: { ...DURATION, FailedChecks: 'Count' },
      Finalize: RUN,
      Summarize: DURATION,
    });
  });

  test('names service, database and step as dimensions, and itself beside them', () => {
    for (const { _aws, ...line } of lines) {
      expect(_aws.CloudWatchMetrics).toMatchObject([
        { Namespace: 'Backstop', Dimensions: [['service', 'database', 'step']] },
      ]);
      expect(line).toMatchObject({
        service: 'backstop',
        database: 'codebase_mcp',
        execution: run.execution.name,
        revision: expect.any(String),
      });
    }
  });

  test('has a finite number for each metric that it declares', () => {
    for (const { _aws, ...line } of lines) {
      for (const { Name } of _aws.CloudWatchMetrics.flatMap(({ Metrics }) => Metrics)) {
        expect({ [Name]: Number.isFinite(line[Name]) }).toEqual({ [Name]: true });
      }
    }
  });

  test('measures what its report says', () => {
    const { migration } = run.execution.state as Required<Execution['state']>;
    const measured = measureRun(migration);
    for (const name of Object.keys(measured)) {
      expect(valuesOf(lines, 'Migrate', name)).toEqual([measured[name as keyof Measures]]);
    }
    expect(measured).toMatchObject({ Attempts: 1, WalWritten: migration.walBytes });
    expect(measured.ExclusiveLock).toBe(Math.max(...Object.values(migration.exclusiveMs)));
    expect(valuesOf(lines, 'Snapshot', 'SnapshotDuration')).toHaveLength(1);
    expect(valuesOf(lines, 'Validate', 'FailedChecks')).toEqual([0]);
  });

  test('tells nothing else than metrics and messages: no warning of the library among them', () => {
    const logged = run.events.flatMap((event) => (event.type === 'log' ? [event.line] : []));
    expect(logged.filter((line) => typeof line === 'string')).toEqual([]);
  });
});

test('an execution that steps back measures the checks that did not hold, and its downgrade', async () => {
  await using twin = await makeTwin();
  const lines = metricLines(await twin.execute({ snapshot: false, drill: 'validation-failure' }));
  // After the upgrade, and after the downgrade.
  expect(valuesOf(lines, 'Validate', 'FailedChecks')).toEqual([1, 0]);
  expect(unitsByStep(lines).Downgrade).toEqual(RUN);
});

test('a migration whose answer was lost is measured by who found out', async () => {
  await using twin = await makeTwin();
  const lines = metricLines(await twin.execute({ snapshot: false, finalize: false, drill: 'migrate-lost' }));
  expect(unitsByStep(lines)).toMatchObject({ Reconcile: RUN });
});

test('a function that fails is measured, too', async () => {
  await using twin = await makeTwin();
  const lines = metricLines(await twin.execute({ action: 'jump' }));
  expect(unitsByStep(lines)).toEqual({ 'Resolve input': DURATION });
  expect(lines).toMatchObject([{ database: 'unknown' }]);
});

describe('values that are not finite numbers', () => {
  const state = {
    execution: {
      name: 'run-1',
      arn: 'arn:run-1',
      stateMachineArn: 'arn:machine',
      startedAt: '2025-10-11T00:00:00Z',
    },
  };

  /** The lines for these measures. */
  function written(measure: () => Measures): string[] {
    const texts: string[] = [];
    const { write } = process.stdout;
    process.stdout.write = (text: string | Uint8Array) => texts.push(String(text)) > 0;
    try {
      emitMetrics({ dimensions: { database: 'd', step: 'Migrate' }, state }, measure);
    } finally {
      process.stdout.write = write;
    }
    return texts;
  }

  test('are left out', () => {
    const [line = '{}', ...others] = written(() => ({ Duration: 1, Attempts: Number.NaN }));
    expect(JSON.parse(line)).toMatchObject({ Duration: 1 });
    expect(line).not.toContain('Attempts');
    expect(others).toEqual([]);
  });

  test('make no line if no other value is left', () => {
    expect(written(() => ({ Duration: Number.POSITIVE_INFINITY }))).toEqual([]);
    expect(written(() => ({}))).toEqual([]);
  });

  test('fail nothing, whatever the measuring does', () => {
    const broken = () => {
      throw new Error('no numbers');
    };
    expect(written(broken)).toEqual([]);
    expect(written(() => ({ Duration: 'x' as unknown as number }))).toEqual([]);
    expect(written(() => ({ Unheard: 1 }) as Measures)).toEqual([]);
  });
});
