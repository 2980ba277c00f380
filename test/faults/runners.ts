// Runners of a verb: the engine in this process, or the command line in a separate process. Both report an ending.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Bounds, DEFAULT_BOUNDS } from '../../lambda/migrator/model/bounds.ts';
import { type AnyEnding, BackstopError } from '../../lambda/migrator/model/errors.ts';
import type { Outcome, RunReport } from '../../lambda/migrator/model/report.ts';
import { connectorTo } from '../../lambda/migrator/session/connection.ts';
import type { ConnectionSettings } from '../../lambda/migrator/session/settings.ts';
import { ROOT } from '../../lib/paths.ts';
import { migratorOn } from '../setup/database.ts';
import { urlOf } from '../setup/url.ts';
import type { Verb } from './verbs.ts';

/** The report of a run. */
export type Told =
  | { readonly outcome: Outcome }
  | { readonly error: AnyEnding; readonly text: string }
  /** The runner was killed, and said nothing. */
  | 'nothing'
  /** The runner still waits, long after every bound. */
  | 'still waiting'
  /** Something that is no ending of ours. */
  | { readonly stranger: string };

export interface Runner {
  readonly told: Promise<Told>;
  /** SIGKILL; resolves when it is dead. */
  kill(): Promise<void>;
}

/** For faults that only our own bounds end. */
export function shortBounds(transactionMs: number): Bounds {
  return {
    ...DEFAULT_BOUNDS,
    admissionMs: (transactionMs * 2) / 3,
    transactionMs,
    lockWaitMs: 500,
    lockTimeoutMs: 500,
    // Only a blackout uses it up.
    reconnectMs: 10_000,
    graceMs: 300,
  };
}

/** Longer than all bounds together, on a busy machine, too. */
const PATIENCE_MS = 60_000;

export function runEngine({ ask }: Verb, settings: ConnectionSettings, bounds = DEFAULT_BOUNDS): Runner {
  const run = ask(migratorOn({ connect: connectorTo(settings) }, { bounds }));
  const told = run.then(({ outcome }): Told => ({ outcome }), reportOf);
  return {
    told: withPatience(told),
    kill: () => Promise.reject(new Error('only a process can be killed')),
  };
}

export function runProcess({ args }: Verb, settings: ConnectionSettings): Runner {
  const { host, port, user, password = '', database } = settings;
  const child = spawn(process.execPath, [join(ROOT, 'bin/backstop.ts'), ...args, '--json'], {
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      DATABASE_URL: urlOf({ host, port, user, password, tls: 'off' }, database),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return {
    told: withPatience(listenTo(child)),
    async kill() {
      if (child.exitCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** The exit status and the printed report must agree. */
async function listenTo(child: ChildProcess): Promise<Told> {
  let out = '';
  let err = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    err += text;
  });
  const [status, signal] = await once(child, 'close');
  if (signal !== null) return 'nothing';
  const document = parse(out);
  if (status === 0 && document && 'outcome' in document) return { outcome: document.outcome };
  if (
    status === 1 &&
    document &&
    'error' in document &&
    err.includes(`${document.error}: ${document.message}`)
  ) {
    return { error: document.error, text: err };
  }
  return { stranger: `exit status ${status}: ${out} ${err}` };
}

function parse(text: string): RunReport | { error: AnyEnding; message: string } | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reportOf(error: unknown): Told {
  if (error instanceof BackstopError) return { error: error.name, text: error.message };
  return { stranger: String(error) };
}

async function withPatience(told: Promise<Told>): Promise<Told> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<Told>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS, 'still waiting');
  });
  return Promise.race([told, patience]).finally(() => clearTimeout(timer));
}
