// How a state is made: a Task with its timeout and retries, a Catch, and a Fail with its sentence.
import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
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
import type { AnyEnding, EndingName } from '../../lambda/migrator/model/errors.ts';
import { taskSeconds } from '../timeouts.ts';

/** Lambda was too busy to run the function. */
const NOT_RUN = ['Lambda.TooManyRequestsException'];
/** Lambda could not run the function or return its answer: it may have run, and may still be at work. */
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
   * connection. This refusal must not hide a first run that has committed or is still at work.
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

/** An answer above 256 KiB. By AWS's documentation States.ALL leaves it out, so it is named. */
const TOO_LARGE = 'States.DataLimitExceeded';

/** A Task whose errors are caught by name, and then all others. */
export class Task extends LambdaInvoke {
  /** None for this version alone: the role may call every version of its functions. */
  protected override readonly taskPolicies = [];

  override addCatch(next: IChainable, props?: CatchProps): this {
    super.addCatch(next, props);
    return this;
  }

  /** Every error that no Catch before it names leads to `next`. */
  catchRest(next: IChainable): this {
    for (const error of [TOO_LARGE, Errors.ALL])
      this.addCatch(next, { errors: [error], resultPath: '$.failure' });
    return this;
  }
}

export function task(scope: Construct, name: string, props: TaskProps): Task {
  const { comment, into, payload, once = false, retry } = props;
  const { timeout } = props.function;
  if (!timeout) throw new Error(`The function ${props.function.node.path} has no timeout.`);

  const state = new Task(scope, name, {
    comment,
    // An execution that began with this definition ends with this code, whatever is deployed meanwhile.
    lambdaFunction: props.function.currentVersion as IFunction,
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

/** Catches these errors; the error is then in `$.failure`. */
export function on(...errors: readonly AnyEnding[]): CatchProps {
  return { errors: [...errors], resultPath: '$.failure' };
}

/** A sentence made of parts of the document: each `{}` of the template is the next path. */
export function format(template: string, ...paths: readonly string[]): string {
  return JsonPath.format(template, ...paths.map((path) => JsonPath.stringAt(path)));
}

/** The name of the error that was caught. */
export const CAUGHT = '$.failure.Error';
/** The message of the error that was caught, once {@link explain} has taken it out. */
export const EXPLAINED = '$.explained.cause.errorMessage';

/** A fixed text, a path in the document, or a result of {@link format}. */
type Sentence = { readonly cause: string } | { readonly causePath: string };

/** An end in failure, by one ending. */
export function fail(
  scope: Construct,
  name: string,
  comment: string,
  ending: { readonly error: EndingName } & Sentence,
): Fail {
  return new Fail(scope, name, { comment, ...ending });
}

/** An end in failure, by the name and the message of the error that {@link explain} explained. */
export function failAsExplained(scope: Construct, name: string, comment: string): Fail {
  return new Fail(scope, name, { comment, errorPath: CAUGHT, causePath: EXPLAINED });
}

/** Takes the message out of a caught error: the cause of an error that a function threw is JSON text. */
export function explain(scope: Construct, name: string, next: IChainable): Pass {
  const state = new Pass(scope, name, {
    comment: 'Takes the message out of the error that was caught.',
    // A Fail cannot do this itself: States.StringToJson is not among its intrinsic functions.
    parameters: { cause: JsonPath.stringToJson(JsonPath.stringAt('$.failure.Cause')) },
    resultPath: '$.explained',
  });
  state.next(next);
  return state;
}
