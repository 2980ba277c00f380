// The client of RDS, and the errors of RDS that pass by themselves.
import { RDSClient } from '@aws-sdk/client-rds';
import { BackstopError } from '../migrator/model/errors.ts';

export const rds = new RDSClient({
  // In ms: three attempts without an answer must end before the function does.
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 6_000, throwOnRequestTimeout: true },
});

/** RDS throttles with status 400. */
const THROTTLED = /^(Throttling|Throttled|TooManyRequests|Request(LimitExceeded|Throttled))/;
/** Node's codes of a connection that failed, e.g. ECONNRESET. */
const CUT = /^E[A-Z_]+$/;

/** The code that RDS answered, or the code of a connection without an answer; it may be anything if the answer is malformed. */
export function codeOf(error: unknown): string {
  const { name, code } = error as { name?: unknown; code?: unknown };
  return String(CUT.test(String(code)) ? code : name);
}

/**
 * DatabaseUnreachable if the error passes by itself: RDS throttles, is out of order, or the connection was cut. Undefined
 * for any other error.
 */
export function unanswered(error: unknown): BackstopError | undefined {
  const { message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode;
  const code = codeOf(error);
  const wasCut = status === undefined && (CUT.test(code) || code === 'TimeoutError');
  if (!wasCut && !THROTTLED.test(code) && status !== 429 && (status ?? 0) < 500) return undefined;
  return new BackstopError(
    'DatabaseUnreachable',
    {
      message: `RDS did not answer, the last time with ${code}: ${message}`,
      hint: 'Start a new execution once RDS answers again. The AWS Health Dashboard shows whether it is disturbed.',
    },
    { cause: error },
  );
}
