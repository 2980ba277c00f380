// The group in EventBridge Scheduler for later finalizes, and the role that starts the state machine for them.

import { Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { schedule } from './permissions.ts';

export class ScheduleGroup extends Construct {
  /** The role with which a schedule starts the state machine; the state machine grants the permission. */
  readonly role: Role;
  readonly #group: CfnScheduleGroup;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.#group = new CfnScheduleGroup(this, 'Group');
    // Only schedules of this account may assume the role.
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    });
  }

  /** Environment of the function that creates schedules. */
  get environment() {
    return { BACKSTOP_SCHEDULE_GROUP: this.#group.ref, BACKSTOP_SCHEDULE_ROLE: this.role.roleArn };
  }

  /** Permissions of the function that creates schedules. */
  get permissions() {
    return schedule(this, this.#group.ref, this.role.roleArn);
  }
}
