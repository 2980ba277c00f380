// All checks of `doctor`, in the order in which their findings are shown.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BackstopError } from '../../../lambda/migrator/model/errors.ts';
import { parseConfig, type Settings } from '../../../lib/config.ts';
import { ROOT } from '../../../lib/paths.ts';
import { checkAccount, checkBootstrap, identify } from './account.ts';
import { checkDatabase } from './database.ts';
import { checkStateMachine, checkTopic, findStack, judgeStack, outputOf } from './deployed.ts';
import { checkEndpoint } from './endpoint.ts';
import { type Environment, makeClients, makeEnvironment } from './environment.ts';
import { type Finding, good, type NamedFinding, notChecked } from './finding.ts';
import { checkKeys } from './keys.ts';
import { checkLambda, checkSnapshots } from './limits.ts';
import { checkNetwork } from './network.ts';
import { checkPlan } from './plan.ts';
import { checkSecret } from './secret.ts';

export interface ExamineOptions {
  /** A file with the configuration. @default - the configuration in cdk.json */
  readonly config: string | undefined;
  /** The only database to check, by its key in the configuration. @default - all of them */
  readonly database: string | undefined;
  /** Whether the state machine is started. */
  readonly plan: boolean;
  /** Called with each finding as soon as it is known. */
  readonly show: (finding: NamedFinding) => void;
}

/**
 * Makes every check that is possible; a check that fails does not end the others.
 *
 * @returns the findings, in the order in which they were shown
 * @throws ConfigurationError, and InvalidInput if the configuration has no such database
 */
export async function examine({ config, database, plan, show }: ExamineOptions): Promise<NamedFinding[]> {
  const settings = readSettings(config);
  const selected = select(settings, database);
  const findings: NamedFinding[] = [];
  const note = (check: string, found: readonly Finding[]) => {
    for (const finding of found) {
      findings.push({ check, ...finding });
      show({ check, ...finding });
    }
  };
  const clients = makeClients();
  const caller = await identify(clients);
  if ('outcome' in caller) {
    note('account', [caller]);
    return findings;
  }
  const environment = makeEnvironment(clients, caller, settings);
  // One after the other: AWS throttles a caller that asks about many databases at once.
  for (const { check, find } of checksBefore(environment, selected)) note(check, await orNotChecked(find()));
  await examineDeployed(environment, plan ? Object.keys(selected) : [], note);
  return findings;
}

function readSettings(config: string | undefined): Settings {
  if (config !== undefined) return parseConfig(config);
  return parseConfig(JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8')).context?.backstop);
}

function select({ databases }: Settings, name: string | undefined): Settings['databases'] {
  if (name === undefined) return databases;
  const database = databases[name];
  if (database) return { [name]: database };
  throw new BackstopError('InvalidInput', {
    message: `The configuration has no database "${name}"`,
    hint: `Use one of: ${Object.keys(databases).join(', ')}.`,
  });
}

interface Check {
  readonly check: string;
  find(): Promise<readonly Finding[]>;
}

/** The checks that need no deployment. */
function checksBefore(environment: Environment, databases: Settings['databases']): Check[] {
  return [
    { check: 'account', find: () => checkAccount(environment) },
    { check: 'CDK', find: () => checkBootstrap(environment) },
    { check: 'network', find: () => checkNetwork(environment) },
    { check: 'way to Secrets Manager', find: () => checkEndpoint(environment) },
    { check: 'keys', find: () => checkKeys(environment) },
    { check: 'Lambda', find: () => checkLambda(environment) },
    { check: 'snapshots', find: () => checkSnapshots(environment) },
    ...Object.entries(databases).flatMap(([key, database]) => {
      const { secretArn } = database;
      return [
        { check: `server of ${key}`, find: () => checkDatabase(environment, key, database) },
        ...(secretArn === undefined
          ? []
          : [
              {
                check: `secret of ${key}`,
                find: () => checkSecret(environment, key, { ...database, secretArn }),
              },
            ]),
      ];
    }),
  ];
}

async function examineDeployed(
  environment: Environment,
  planned: readonly string[],
  note: (check: string, found: readonly Finding[]) => void,
): Promise<void> {
  try {
    const stack = await findStack(environment);
    if (stack === undefined) {
      note('stack', [good(NOT_DEPLOYED)]);
      return;
    }
    note('stack', [judgeStack(stack)]);
    const arn = outputOf(stack, 'StateMachineArn');
    note('state machine', await orNotChecked(checkStateMachine(environment, arn)));
    note('topic', await orNotChecked(checkTopic(environment, outputOf(stack, 'TopicArn'))));
    if (arn === undefined) return;
    // One after the other: an account may have room for a few functions only.
    for (const name of planned) {
      note(`plan of ${name}`, await orNotChecked(checkPlan(environment, arn, name)));
    }
  } catch (error) {
    note('stack', [notChecked(error)]);
  }
}

const NOT_DEPLOYED =
  'Not deployed yet. After the deployment, doctor asks the state machine for the plan, which checks extensions and privileges inside the database';

async function orNotChecked(found: Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await found;
  } catch (error) {
    return [notChecked(error)];
  }
}
