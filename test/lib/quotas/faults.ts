// Small templates that exceed a quota, and the sentences about them.

import type { Template } from '../../../lib/quotas/template.ts';
import { exceededQuotas } from '../../../lib/quotas.ts';

export type Resources = NonNullable<Template['Resources']>;

/** The sentences about these resources, in a stack whose region is not known. */
export const exceeded = (resources: Resources, zones = {}) =>
  exceededQuotas({ Resources: resources }, { stack: 'Backstop' }, zones);

/** The sentences about one resource of this type, named `Thing`. */
export const faultsOf = (Type: string, Properties: object) => exceeded({ Thing: { Type, Properties } });

export const text = (length: number) => 'x'.repeat(length);
export const list = <T>(length: number, entry: (index: number) => T) =>
  Array.from({ length }, (_, i) => entry(i));
export const records = <T>(length: number, entry: T): Record<string, T> =>
  Object.fromEntries(list(length, (i) => [`Thing${i}`, entry]));
