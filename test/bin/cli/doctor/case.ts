// A fault that doctor finds, alone in an account in which everything else fits.
import type { Finding } from '../../../../bin/cli/doctor/finding.ts';
import type { AwsEndpoint, LocalInstance } from '../../../../lib/twin/aws/endpoint.ts';
import { type Configuration, PASSWORD, SECRET } from './healthy.ts';

export interface Given {
  readonly aws: AwsEndpoint;
  readonly configuration: Configuration;
}

export interface Case extends Pick<Finding, 'outcome' | 'message'> {
  readonly fault: string;
  readonly given: (given: Given) => unknown;
  readonly check: string;
  /** A part of the remedy. */
  readonly hint: string;
}

export const bad = (
  check: string,
  fault: string,
  message: string,
  hint: string,
  given: Case['given'],
): Case => ({ outcome: 'bad', check, fault, message, hint, given });

export const warned = (...args: Parameters<typeof bad>): Case => ({ ...bad(...args), outcome: 'warning' });

/** Replaces elements of the description of an instance or cluster, and other properties of it. */
export function alter(
  { aws }: Given,
  identifier: string,
  elements: object,
  other: Partial<LocalInstance> = {},
): void {
  const instance = aws.instances.get(identifier) as LocalInstance;
  aws.instances.set(identifier, { ...instance, ...other, elements: { ...instance.elements, ...elements } });
}

/** Adds these values to user name and password. */
export function writeSecret({ aws }: Given, values: object): void {
  aws.secrets.set(SECRET, JSON.stringify({ username: 'backstop', password: PASSWORD, ...values }));
}
