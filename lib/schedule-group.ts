// Where EventBridge Scheduler keeps what is to be finalized later, and the role with which it starts the state machine.

import { Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { schedule } from './permissions.ts';

export class ScheduleGroup extends Construct {
  /** What a schedule starts the state machine with; the state machine grants it that. */
  readonly role: Role;
  readonly #group: CfnScheduleGroup;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.#group = new CfnScheduleGroup(this, 'Group');
    // Whoever else's schedules: only those of this account may take the role.
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    });
  }

  /** What the function that makes schedules is told. */
  get environment() {
    return { BACKSTOP_SCHEDULE_GROUP: this.#group.ref, BACKSTOP_SCHEDULE_ROLE: this.role.roleArn };
  }

  /** What that function may do. */
  get permissions() {
    return schedule(this, this.#group.ref, this.role.roleArn);
  }
}
