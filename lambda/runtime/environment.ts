// What the stack tells the functions through their environment, read and checked in one place.
import * as z from 'zod';
import { ConfigurationError } from '../migrator/errors.ts';

const json = z.string().transform((text, context) => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    context.addIssue({ code: 'custom', message: 'is not JSON' });
    return z.NEVER;
  }
});

/** Functions that ask RDS: which databases there are, and what an input may ask for. */
export const resolveEnvironment = z.object({
  /** Name of a database → the RDS instance or cluster that holds it. */
  BACKSTOP_DATABASES: json.pipe(z.record(z.string(), z.object({ identifier: z.string() }))),
  BACKSTOP_DEFAULT_DATABASE: z.string(),
  BACKSTOP_ALLOW_DRILLS: z.stringbool(),
});

export const snapshotEnvironment = z.object({
  BACKSTOP_KEEP_SNAPSHOTS: z.coerce.number().int().positive(),
  BACKSTOP_SNAPSHOT_TIMEOUT_SECONDS: z.coerce.number().positive(),
});

/** Functions that speak to the database. */
export const databaseEnvironment = z.object({
  /** Name of a database → ARN of its secret. */
  BACKSTOP_SECRETS: json.pipe(z.record(z.string(), z.string())),
  /** Folder of the revisions. */
  BACKSTOP_MIGRATIONS: z.string(),
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
  throw new ConfigurationError({
    message: `The function's environment variable ${issue?.path.join('.')} is wrong: ${issue?.message}`,
    hint: 'Deploy the stack again; it sets this variable.',
  });
}
