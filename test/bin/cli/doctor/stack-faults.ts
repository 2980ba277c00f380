// Faults of the deployed stack.
import { bad, type Case, warned } from './case.ts';
import { TOPIC } from './healthy.ts';

export const STACK_CASES: readonly Case[] = [
  bad(
    'stack',
    'a stack that was never complete',
    'The stack Backstop is in status ROLLBACK_COMPLETE',
    'delete it',
    ({ aws }) => {
      Object.assign(aws.surroundings.stacks.Backstop ?? {}, { status: 'ROLLBACK_COMPLETE' });
    },
  ),
  warned(
    'stack',
    'a deployment that failed',
    'The stack Backstop is in status UPDATE_ROLLBACK_COMPLETE',
    'npx cdk deploy Backstop',
    ({ aws }) => {
      Object.assign(aws.surroundings.stacks.Backstop ?? {}, { status: 'UPDATE_ROLLBACK_COMPLETE' });
    },
  ),
  warned(
    'stack',
    'a deployment that goes on',
    'The stack Backstop is in status UPDATE_IN_PROGRESS',
    'again',
    ({ aws }) => {
      Object.assign(aws.surroundings.stacks.Backstop ?? {}, { status: 'UPDATE_IN_PROGRESS' });
    },
  ),
  bad(
    'state machine',
    'a state machine that is gone',
    'The stack has no state machine',
    'npx cdk deploy Backstop',
    ({ aws }) => {
      aws.surroundings.machine = undefined;
    },
  ),
  bad('topic', 'a topic that is gone', 'The stack has no topic', 'npx cdk deploy Backstop', ({ aws }) => {
    aws.surroundings.subscriptions = {};
  }),
  warned(
    'topic',
    'a topic without a subscription',
    'The result of an execution reaches no person: the topic has no subscription',
    '"notificationEmail"',
    ({ aws }) => {
      aws.surroundings.subscriptions[TOPIC] = [];
    },
  ),
  warned(
    'topic',
    'a subscription that is not confirmed',
    '1 of 2 subscriptions of the topic is not confirmed',
    'mail',
    ({ aws }) => {
      aws.surroundings.subscriptions[TOPIC] = ['PendingConfirmation', `${TOPIC}:1`];
    },
  ),
];
