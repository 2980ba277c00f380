// How the functions log: JSON lines that name execution, database and revision, whatever happens.
import { Logger } from '@aws-lambda-powertools/logger';
import { describeEvent } from '../migrator/model/describe.ts';
import type { Listener, ProgressEvent } from '../migrator/model/events.ts';
import { printable, printableDeep } from '../migrator/model/printable.ts';
import type { ExecutionState } from '../state.ts';

/** A state that may still lack sections: Resolve input logs before there is any. */
export type Known = Pick<ExecutionState, 'execution'> & Partial<ExecutionState>;

/** A logger whose every line carries the keys by which an execution is found in the log. */
export function loggerFor(state: Known): Logger {
  return new Logger({
    persistentKeys: {
      execution: state.execution.name,
      database: state.request?.database ?? 'unknown',
      revision: state.plan?.from ?? 'unknown',
    },
  });
}

/** Writes each event of a run as one line: the sentence for people, the event itself for queries. */
export function logEvents(logger: Logger): Listener {
  return (event) => {
    const revision = revisionOf(event);
    logger[isWarning(event) ? 'warn' : 'info'](printable(describeEvent(event)), {
      ...(revision && { revision }),
      progress: printableDeep(event),
    });
  };
}

function revisionOf(event: ProgressEvent): string | undefined {
  if ('revision' in event) return event.revision;
  if (event.type === 'step completed') return event.step.revision;
  if (event.type === 'check completed') return event.check.revision;
  return event.type === 'committed' ? event.to : 'from' in event ? event.from : undefined;
}

function isWarning(event: ProgressEvent): boolean {
  return (
    event.type === 'edited' ||
    event.type === 'unknown table' ||
    event.type === 'unforeseen' ||
    event.type === 'exceeding' ||
    event.type === 'waiting' ||
    event.type === 'retrying' ||
    event.type === 'rolled back' ||
    (event.type === 'check completed' && !event.check.passed) ||
    (event.type === 'notice' && event.notice.severity === 'WARNING')
  );
}
