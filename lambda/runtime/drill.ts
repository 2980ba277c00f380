// Drills: faults provoked on purpose. Resolve input has refused them where the stack does not allow them.
import type { Drill, ExecutionState } from '../state.ts';

/** Whether this execution drills that fault. `downgrade-failure` needs a validation that fails first. */
export function isDrill({ request }: ExecutionState, drill: Drill): boolean {
  return request.drill === drill || (request.drill === 'downgrade-failure' && drill === 'validation-failure');
}
