// The execution input: its fields, their defaults, and the refusals.
import * as z from 'zod';
import { BackstopError } from './migrator/model/errors.ts';
import { ACTIONS, DRIFT, DRILLS, type Drift, type Request } from './state.ts';

/** No function lives longer. */
const LONGEST_LOCK_SECONDS = 900;

const shape = z.strictObject({
  action: z.enum(ACTIONS).default('upgrade'),
  target: z.string().min(1).max(64).optional(),
  database: z.string().optional(),
  snapshot: z.boolean().default(true),
  finalize: z.boolean().default(true),
  allowLoss: z.boolean().default(false),
  drift: z.enum(DRIFT).optional(),
  maxLock: z.number().positive().max(LONGEST_LOCK_SECONDS).optional(),
  plan: z
    .string()
    .regex(/^[0-9a-f]{64}$/, { error: 'Write the checksum of a plan, 64 hexadecimal digits' })
    .optional(),
  appliedBy: z.string().startsWith('arn:').max(2048).optional(),
  drill: z.enum(DRILLS).optional(),
});

/** The fields of an input. */
export const INPUT_FIELDS: readonly string[] = Object.keys(shape.shape);

/** The defaults of the deployed stack, and its limits. */
export interface Deployment {
  readonly databases: readonly string[];
  readonly defaultDatabase: string;
  readonly allowDrills: boolean;
  readonly finalizeAfterDays: number;
  readonly maxLockSeconds: number;
  readonly drift: Drift;
}

/**
 * Completes an execution input. `{}` means: upgrade the default database to head, with a snapshot, and finalize.
 * A single word, such as `"status"`, means that action.
 *
 * @throws InvalidInput with the name of the field
 */
export function parseRequest(
  input: unknown,
  { databases, defaultDatabase, allowDrills, finalizeAfterDays, maxLockSeconds, drift: deployed }: Deployment,
): Request {
  const result = shape.safeParse(typeof input === 'string' ? { action: input } : input);
  if (!result.success) throw invalid(result.error.issues[0], input);
  const {
    action,
    database = defaultDatabase,
    maxLock = maxLockSeconds,
    drift = deployed,
    ...given
  } = result.data;
  const { drill, target = action === 'downgrade' ? undefined : 'head' } = given;
  if (target === undefined) {
    throw new BackstopError('InvalidInput', {
      message: 'A downgrade needs "target"',
      hint: 'Write, for example, {"action": "downgrade", "target": "-1"} or "target": "005".',
    });
  }
  if (!databases.includes(database)) {
    throw new BackstopError('InvalidInput', {
      message: `"database" is "${database}", which this stack does not know`,
      hint: `Use one of: ${databases.join(', ')}.`,
    });
  }
  if (drill !== undefined && !allowDrills) {
    throw new BackstopError('InvalidInput', {
      message: `"drill" is "${drill}", but this stack allows no drills`,
      hint: 'Leave "drill" out, or deploy with "allowDrills": true.',
    });
  }
  return { ...given, action, target, database, maxLock, drift, finalizeAfterDays };
}

function invalid(issue: z.core.$ZodIssue | undefined, input: unknown): BackstopError {
  const fields = INPUT_FIELDS.join(', ');
  if (issue?.code === 'unrecognized_keys') {
    return new BackstopError('InvalidInput', {
      message: `The input has a field "${issue.keys[0]}", which does not exist`,
      hint: `Use only: ${fields}.`,
    });
  }
  const field = issue?.path.join('.');
  if (!field) {
    return new BackstopError('InvalidInput', {
      message: `The input is ${kindOf(input)}, not an object`,
      hint: `Write {} or an object with: ${fields}.`,
    });
  }
  const value = typeof input === 'string' ? input : (input as Record<string, unknown>)[field];
  const hint =
    issue?.code === 'invalid_value' ? `Use one of: ${issue.values.join(', ')}.` : `${issue?.message}.`;
  return new BackstopError('InvalidInput', { message: `"${field}" is ${describe(value)}`, hint });
}

function kindOf(input: unknown): string {
  if (input === null) return 'null';
  return Array.isArray(input) ? 'an array' : typeof input;
}

/** A value may be nested too deeply to be written out. */
function describe(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = String(JSON.stringify(value));
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
