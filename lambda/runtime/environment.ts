// The environment that the stack gives the functions, read and checked in one place.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as z from 'zod';
import { BackstopError } from '../migrator/model/errors.ts';
import { DRIFT } from '../state.ts';

const json = z.string().transform((text, context) => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    context.addIssue({ code: 'custom', message: 'is not JSON' });
    return z.NEVER;
  }
});

/** A JSON file beside the code. */
const jsonFile = z
  .string()
  .transform((path, context) => {
    try {
      return readFileSync(inTask(path), 'utf8');
    } catch {
      context.addIssue({ code: 'custom', message: 'is not the path of a file beside the code' });
      return z.NEVER;
    }
  })
  .pipe(json);

const deployedDatabases = z.record(
  z.string(),
  z.union([
    z.strictObject({ identifier: z.string(), secretArn: z.string(), host: z.string().optional() }),
    z.strictObject({ identifier: z.string(), iamUser: z.string(), databaseName: z.string() }),
  ]),
);

/**
 * Name of a database → the identifier of the RDS instance or cluster that holds it, and the ARN of its secret with the
 * host of its proxy, or its user and name where IAM vouches for the function.
 */
export type DeployedDatabases = z.input<typeof deployedDatabases>;

/** Functions that ask RDS: the databases of the stack, and the limits of an input. */
export const resolveEnvironment = z.object({
  BACKSTOP_DATABASES: jsonFile.pipe(deployedDatabases),
  BACKSTOP_DEFAULT_DATABASE: z.string(),
  BACKSTOP_ALLOW_DRILLS: z.stringbool(),
  BACKSTOP_FINALIZE_AFTER_DAYS: z.coerce.number().int().nonnegative(),
  BACKSTOP_MAX_LOCK_SECONDS: z.coerce.number().positive(),
  BACKSTOP_DRIFT: z.enum(DRIFT),
});

export const snapshotEnvironment = z.object({
  BACKSTOP_KEEP_SNAPSHOTS: z.coerce.number().int().positive(),
  BACKSTOP_SNAPSHOT_TIMEOUT_SECONDS: z.coerce.number().positive(),
});

export const scheduleEnvironment = z.object({
  BACKSTOP_SCHEDULE_GROUP: z.string(),
  /** ARN of the role with which a schedule starts the state machine. */
  BACKSTOP_SCHEDULE_ROLE: z.string(),
});

export const notifyEnvironment = z.object({
  BACKSTOP_TOPIC_ARN: z.string(),
  /** Names of the endings that the deployed revisions declare. */
  BACKSTOP_REFUSALS: json.pipe(z.array(z.string())),
});

/** Functions that speak to the database. */
export const databaseEnvironment = z.object({
  BACKSTOP_DATABASES: jsonFile.pipe(deployedDatabases),
  /** Folder of the revisions. */
  BACKSTOP_MIGRATIONS: z.string(),
  /** For how long a function tries to connect, before its first statement. */
  BACKSTOP_CONNECT_SECONDS: z.coerce.number().nonnegative(),
  BACKSTOP_TRANSACTION_SECONDS: z.coerce.number().positive(),
  BACKSTOP_LOCK_WAIT_SECONDS: z.coerce.number().nonnegative(),
  /** PEM file beside the code; without it the certificate authorities of the Node process count. */
  BACKSTOP_CA_FILE: z.string().optional(),
  /** `off` is for a server on this machine that has no certificate; the stack never sets it. */
  BACKSTOP_TLS: z.enum(['verify-full', 'off']).default('verify-full'),
});

/** The environment in that shape. Throws ConfigurationError with the name of the variable. */
export function readEnvironment<T extends z.ZodType>(shape: T): z.output<T> {
  const result = shape.safeParse(process.env);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new BackstopError('ConfigurationError', {
    message: `The function's environment variable ${issue?.path.join('.')} is wrong: ${issue?.message}`,
    hint: 'Deploy the stack again; it sets this variable.',
  });
}

/** Paths in the environment are relative to the function's code. */
export function inTask(path: string): string {
  return resolve(process.env.LAMBDA_TASK_ROOT ?? '.', path);
}
