// The bricks of the state machine: a Task with its timeout and retries, and the ways in which an execution may end.
import { Duration } from 'aws-cdk-lib';
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import {
  type CatchProps,
  Errors,
  Fail,
  type IChainable,
  JitterType,
  JsonPath,
  Pass,
  type RetryProps,
  type TaskInput,
  Timeout,
} from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import type { EndingName } from '../../lambda/migrator/model/errors.ts';
import { taskSeconds } from '../timeouts.ts';

/** Lambda was too busy to run the function. */
const NOT_RUN = ['Lambda.TooManyRequestsException'];
/** Lambda could not run the function or hand on its answer: it may have run, and may still be at work. */
const MAYBE_RUN = [
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.ClientExecutionTimeoutException',
];

const AGAIN: Omit<RetryProps, 'errors'> = {
  interval: Duration.seconds(2),
  maxAttempts: 6,
  backoffRate: 2,
  jitterStrategy: JitterType.FULL,
};

/** The names by which Step Functions and Lambda call a function that gave no answer. */
type LostName = 'States.Timeout' | 'Sandbox.Timedout' | 'Lambda.Unknown' | 'Runtime.ExitError';

export interface TaskProps {
  /** One sentence, shown in the console. */
  readonly comment: string;
  readonly function: NodejsFunction;
  /**
   * The section that the answer becomes, e.g. `$.plan`.
   * @default - the answer is the whole document from here on
   */
  readonly into?: string;
  /** @default - the whole document */
  readonly payload?: TaskInput;
  /**
   * Whether it is tried again only if it has not run for certain. A second run may be refused, for a lock or a
   * connection, and that must not be taken for the end of a first one that has committed or is still at work.
   * @default - every function may run twice
   */
  readonly once?: boolean;
  /**
   * Errors that may pass by themselves, and how often to try again.
   * @default - none but the errors of the Lambda service
   */
  readonly retry?: {
    readonly errors: readonly (EndingName | LostName)[];
    readonly seconds: number;
    readonly attempts: number;
  };
}

export function task(scope: Construct, name: string, props: TaskProps): LambdaInvoke {
  const { comment, into, payload, once = false, retry } = props;
  const { timeout } = props.function;
  if (!timeout) throw new Error(`The function ${props.function.node.path} has no timeout.`);

  const state = new LambdaInvoke(scope, name, {
    comment,
    lambdaFunction: props.function,
    ...(payload && { payload }),
    payloadResponseOnly: true,
    retryOnServiceExceptions: false,
    ...(into && { resultPath: into }),
    taskTimeout: Timeout.duration(Duration.seconds(taskSeconds(timeout.toSeconds()))),
  });
  state.addRetry({ ...AGAIN, errors: once ? NOT_RUN : [...MAYBE_RUN, ...NOT_RUN] });
  if (retry) {
    const { errors, seconds, attempts } = retry;
    state.addRetry({ errors: [...errors], interval: Duration.seconds(seconds), maxAttempts: attempts });
  }
  return state;
}

/** Catches these errors; what was caught is then in `$.failure`. */
export function on(...errors: readonly EndingName[]): CatchProps {
  return { errors: [...errors], resultPath: '$.failure' };
}

/** Catches whatever no Catch before it names. */
export function onAnythingElse(): CatchProps {
  return { errors: [Errors.ALL], resultPath: '$.failure' };
}

/** A sentence made of parts of the document: each `{}` of the template is the next path. */
export function format(template: string, ...paths: string[]): string {
  return JsonPath.format(template, ...paths.map((path) => JsonPath.stringAt(path)));
}

/** Where a message stands that `explain` took out of an error, or `compose` put together. */
export const EXPLAINED = '$.ending.cause.errorMessage';

// A Fail can read its sentence from the document, but not compose it: a Pass before it prepares it here.
const PREPARED = { error: '$.ending.Error', cause: EXPLAINED };

/** An end with a sentence that is known beforehand, or that a function has put into the document. */
export function fail(
  scope: Construct,
  name: string,
  comment: string,
  ending: { readonly error: EndingName } & ({ readonly cause: string } | { readonly causePath: string }),
): Fail {
  return new Fail(scope, name, { comment, ...ending });
}

/** An end with the sentence that `explain` or `compose` prepared; without an `error`, it ends by the one explained. */
export function failPrepared(scope: Construct, name: string, comment: string, error?: EndingName): Fail {
  const ending = error ? { error } : { errorPath: PREPARED.error };
  return new Fail(scope, name, { comment, ...ending, causePath: PREPARED.cause });
}

/** Takes the message out of a caught error, whose cause is JSON text if a function threw it, and goes on with it. */
export function explain(scope: Construct, name: string, next: IChainable): Pass {
  const state = new Pass(scope, name, {
    comment: 'Takes the message out of the error that was caught.',
    parameters: {
      Error: JsonPath.stringAt('$.failure.Error'),
      cause: JsonPath.stringToJson(JsonPath.stringAt('$.failure.Cause')),
    },
    resultPath: '$.ending',
  });
  state.next(next);
  return state;
}

/** Composes a sentence from the document, and ends with it. */
export function compose(scope: Construct, name: string, comment: string, sentence: string, end: Fail): Pass {
  const state = new Pass(scope, name, {
    comment,
    parameters: { cause: { errorMessage: sentence } },
    resultPath: '$.ending',
  });
  state.next(end);
  return state;
}
