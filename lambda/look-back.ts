// An execution that has ended: everything that can still be read about it, and its summary.
import * as z from 'zod';
import { describeExecution, newestOutput } from './aws/executions.ts';
import { isKnown, promiseOf } from './promises.ts';
import { ACTIONS, type ExecutionState, type Summary } from './state.ts';
import { type Failure, type Output, summarize } from './summary.ts';

/** How an execution ended, in the words of Step Functions. */
export interface End {
  /** `SUCCEEDED`, `FAILED`, `TIMED_OUT` or `ABORTED`. */
  readonly status: string;
  readonly error?: string | null | undefined;
  readonly cause?: string | null | undefined;
}

export interface Past extends End {
  /** As the last state left it; empty if no state has returned one. */
  readonly document: Partial<Output>;
  /** The input of the execution. */
  readonly asked: z.output<typeof inputShape>;
  /** Each part that could not be read, and why. */
  readonly unread: readonly string[];
}

/** The input may have any shape. */
const inputShape = z
  .object({
    action: z.enum(ACTIONS).nullable().catch(null),
    database: z
      .string()
      .regex(/^[\w-]{1,64}$/)
      .nullable()
      .catch(null),
  })
  .catch({ action: null, database: null });

/** The parts of a document that every message needs. */
const documentShape = z.looseObject({
  request: z.looseObject({ action: z.enum(ACTIONS), database: z.string().min(1).max(64) }),
  plan: z.looseObject({ from: z.string(), to: z.string() }).optional(),
  snapshot: z.looseObject({ id: z.string(), arn: z.string(), restore: z.string() }).optional(),
});

/** How it ended is known from elsewhere. */
const summaryShape = z.object({
  message: z.string(),
  action: z.enum(ACTIONS).nullable(),
  database: z.string().min(1).max(64).nullable(),
  revisionBefore: z.string().nullable(),
  revisionAfter: z.string().nullable(),
  snapshot: z.string().nullable(),
  finalizePending: z.array(z.string()),
  finalizeAt: z.string().nullable(),
});

/**
 * Never rejects: the notification must be sent even if parts cannot be read.
 *
 * @param end as the event says; where the execution's data is encrypted, an event has no error
 */
export async function lookBack(arn: string, { status, ...end }: End): Promise<Past> {
  const unread: string[] = [];
  const note = (error: unknown) => {
    unread.push(String(error));
    return undefined;
  };
  const described = await describeExecution(arn).catch(note);
  const document = await newestOutput(arn, isDocument).catch(note);
  return {
    status,
    // Step Functions may describe it for a while as it was before it ended.
    error: described?.error ?? end.error,
    cause: described?.cause ?? end.cause,
    document: document ?? {},
    asked: inputShape.parse(parseJson(described?.input)),
    unread,
  };
}

function isDocument(output: unknown): output is ExecutionState {
  return documentShape.safeParse(output).success;
}

function parseJson(text = '{}'): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The summary of an execution. Also works if its document is missing or in another form.
 *
 * @param refusals names of the endings that the deployed revisions declare
 */
export function summarizeEnded(past: Past, refusals: readonly string[]): Summary {
  const failure = failureOf(past, refusals);
  return checked(past, failure) ?? { ...bare(failure), ...past.asked };
}

/** An execution that succeeded has made its summary itself, from a document that may be shorter by now. */
function checked({ document }: Past, failure: Failure | undefined): Summary | undefined {
  if (document.request === undefined) return undefined;
  try {
    const { summary: own } = document;
    const summary = own && !failure ? own : summarize(document, failure);
    return { ...summaryShape.parse(summary), ending: failure?.ending ?? 'Succeeded' };
  } catch {
    return undefined;
  }
}

function bare(failure: Failure | undefined): Summary {
  const { ending, cause: message } = failure ?? {
    ending: 'Succeeded',
    cause: 'The execution succeeded; its report could not be read.',
  };
  return { ...summarize({}), ending, message };
}

/** How the execution failed, in the words of its error if that is an ending; undefined if it succeeded. */
function failureOf({ status, error, cause }: Past, refusals: readonly string[]): Failure | undefined {
  const said = [error, cause].filter(Boolean).join(': ');
  const failed = (ending: Failure['ending'], sentence: string): Failure => ({
    ending,
    database: promiseOf(ending, refusals).database,
    cause: sentence,
  });
  switch (status) {
    case 'SUCCEEDED':
      return undefined;
    case 'TIMED_OUT':
      return failed('TimedOut', because('The execution ran out of time', said));
    case 'ABORTED':
      return failed('Aborted', because('Somebody stopped the execution', said));
    default:
      if (error && isKnown(error, refusals))
        return failed(error, cause ?? promiseOf(error, refusals).meaning);
      // Any other error comes from Step Functions itself, and may come at any state.
      return failed(
        'OutcomeUnknown',
        said ? because('Step Functions ended the execution', said) : 'Its error could not be read.',
      );
  }
}

function because(what: string, said: string): string {
  return said ? `${what} (${said}).` : `${what}.`;
}
