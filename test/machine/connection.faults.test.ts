// Executions that cannot reach the right database: faults of RDS, the secret, the server and the network.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LocalInstance } from '../../lib/twin/aws/account.ts';
import { localDatabase } from '../../lib/twin/databases.ts';
import { execute } from '../../lib/twin/execution.ts';
import { certificateFiles, writeCertificate } from '../../lib/twin/server/certificate.ts';
import { withClient } from '../../lib/twin/server/client.ts';
import { addressOf } from '../../lib/twin/twin.ts';
import { testServer } from '../setup/database.ts';
import { type Pooler, startPooler } from '../setup/pooler.ts';
import { startProxy } from '../setup/proxy.ts';
import {
  type Case,
  deployed,
  makeTwin,
  NEVER_SEEN,
  provoke,
  type TestTwin,
  withDatabases,
  withEnvironment,
  withTimeout,
} from './twin.ts';

const { identifier: INSTANCE, secretArn: SECRET_ARN } = localDatabase('codebase_mcp');

/** Sets the secret that Secrets Manager returns. */
const secretIs = (text: string) => (twin: TestTwin) => twin.endpoint.secrets.set(SECRET_ARN, text);

/** Sets these fields of the secret. */
const secretHas = (change: object) => (twin: TestTwin) => secretIs(secretOf(twin, change))(twin);

function secretOf({ endpoint }: TestTwin, change: object): string {
  return JSON.stringify({ ...JSON.parse(endpoint.secrets.get(SECRET_ARN) ?? ''), ...change });
}

/** A configuration that names a host for a proxy. */
const withHost = (host: string) =>
  withDatabases({ codebase_mcp: { identifier: INSTANCE, secretArn: SECRET_ARN, host } });

/** AWS answers one of its actions with an error. */
const refuses =
  (action: string, code: string) =>
  ({ endpoint }: TestTwin) => {
    endpoint.onRequest = (request) =>
      request.action === action
        ? { code, message: `User is not authorized to perform ${action}`, httpStatus: 403 }
        : undefined;
  };

const CASES: Case[] = [
  {
    ending: 'ConfigurationError',
    when: 'RDS knows no such instance',
    given: ({ endpoint }) => endpoint.instances.clear(),
    says: [`RDS knows no instance and no cluster "${INSTANCE}"`, 'Correct "identifier"'],
  },
  {
    ending: 'ConfigurationError',
    when: 'the secret names another server than the snapshot is taken of',
    given: secretHas({ host: 'replica.elsewhere.internal' }),
    says: [
      'names another host than the server that the snapshot is taken of',
      `It may name ${testServer.host}.`,
      'To go through a proxy that keeps sessions, write its name as "host"',
    ],
  },
  {
    ending: 'ConfigurationError',
    when: 'the secret names neither the proxy of the configuration nor the endpoint',
    deployment: withHost('proxy.shop.internal'),
    given: secretHas({ host: 'replica.elsewhere.internal' }),
    says: [`It may name ${testServer.host} or proxy.shop.internal.`],
  },
  {
    ending: 'ConfigurationError',
    when: 'RDS may not be asked',
    given: refuses('DescribeDBInstances', 'AccessDenied'),
    says: ['AccessDenied', 'Check the permissions'],
  },
  {
    ending: 'ConfigurationError',
    when: 'there is no such secret',
    given: ({ endpoint }) => endpoint.secrets.clear(),
    says: [SECRET_ARN, 'ResourceNotFoundException', 'Check "secretArn"'],
  },
  {
    ending: 'ConfigurationError',
    when: 'the secret may not be read',
    given: refuses('GetSecretValue', 'AccessDeniedException'),
    says: [SECRET_ARN, 'AccessDeniedException'],
  },
  {
    ending: 'ConfigurationError',
    when: 'a setting of the deployment is not readable',
    deployment: withEnvironment({ BACKSTOP_TRANSACTION_SECONDS: 'soon' }),
    says: ['BACKSTOP_TRANSACTION_SECONDS', 'Deploy the stack again'],
  },
  {
    ending: 'SecretMalformed',
    when: 'the secret is not JSON',
    given: secretIs(NEVER_SEEN),
    says: [`${SECRET_ARN} is not a JSON object`, '"username"'],
  },
  {
    ending: 'SecretMalformed',
    when: 'the secret is empty',
    given: secretIs(''),
    says: [`${SECRET_ARN} is not a JSON object`],
  },
  {
    ending: 'SecretMalformed',
    when: 'the secret has no password',
    given: secretIs(JSON.stringify({ username: 'postgres', pasword: NEVER_SEEN })),
    says: ['no usable "password"', '"password": "…"'],
  },
  {
    ending: 'SecretMalformed',
    when: 'the secret has an invalid port',
    given: secretHas({ port: 'five' }),
    says: ['no usable "port"'],
  },
  {
    ending: 'CredentialsRejected',
    when: 'the password is wrong, however often it is read',
    given: secretHas({ password: NEVER_SEEN }),
    says: ['refused user', 'Put the right user name and password in the secret'],
  },
  {
    ending: 'DatabaseNotFound',
    when: 'the secret names a database that is not there',
    given: secretHas({ dbname: 'nowhere' }),
    says: ['has no database "nowhere"', 'CREATE DATABASE "nowhere"'],
  },
  {
    ending: 'DatabaseUnreachable',
    when: 'no server listens on the port',
    given: secretHas({ port: 1 }),
    says: [':1 could not be reached', 'ECONNREFUSED', 'security group'],
  },
  {
    ending: 'DatabaseUnreachable',
    when: 'the subnets lead nowhere, and nothing ever answers',
    deployment: withTimeout('Preflight', 1),
    given: ({ endpoint }) => {
      endpoint.onRequest = ({ action }) => (action === 'GetSecretValue' ? new Promise(() => {}) : undefined);
    },
    says: ['Preflight did not answer', 'security group', 'endpoint for Secrets Manager or a NAT gateway'],
  },
  {
    ending: 'WrongDatabase',
    when: 'the secret leads to the database of another system',
    given: async ({ database }) => {
      await database.asAdministrator('ALTER TABLE repositories RENAME TO users');
      await database.asAdministrator('ALTER TABLE code_chunks RENAME TO refresh_tokens');
    },
    says: ['leads to a database of socrates_auth', 'users, refresh_tokens', 'dbname of the secret'],
  },
  {
    ending: 'WrongDatabase',
    when: 'two databases share an instance, and the secret of one does not say "dbname"',
    input: { database: 'socrates_specs' },
    given: ({ endpoint }) => {
      const { identifier, secretArn } = localDatabase('socrates_specs');
      endpoint.instances.set(identifier, endpoint.instances.get(INSTANCE) as LocalInstance);
      endpoint.secrets.set(secretArn, endpoint.secrets.get(SECRET_ARN) as string);
    },
    says: ['The connection for socrates_specs leads to a database of codebase_mcp', 'dbname of the secret'],
  },
  {
    ending: 'ExtensionMissing',
    when: 'pgvector was never created',
    at: 'without extension',
    says: ['the extension "vector"', 'CREATE EXTENSION vector;'],
  },
  {
    ending: 'PrivilegeMissing',
    when: 'the user may make no schema',
    given: ({ database }) => database.asAdministrator(`ALTER DATABASE ${database.name} OWNER TO postgres`),
    says: ['lacks a privilege that the run needs', 'GRANT CREATE ON DATABASE'],
  },
];

test.each(CASES)('$ending: $when', provoke);

test('ConfigurationError: the certificate comes from an untrusted authority', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'backstop-test-')), 'tls');
  await writeCertificate(folder);
  await provoke({
    ending: 'ConfigurationError',
    when: '',
    server: { tls: { caFile: certificateFiles(folder).certificate } },
    says: ['TLS connection', 'could not be verified', 'Configure "caBundle"'],
  });
  rmSync(join(folder, '..'), { recursive: true });
});

test('ServerTooOld: the server says that it is PostgreSQL 13', async () => {
  const version = await withClient(testServer, 'postgres', async (client) => {
    const { rows } = await client.query('SHOW server_version_num');
    return String(rows[0].server_version_num);
  });
  const proxy = await startProxy(addressOf(testServer, 'postgres'), () => ({
    toClient: (bytes) => Buffer.from(bytes.toString('latin1').replaceAll(version, '130022'), 'latin1'),
  }));
  const { host, port } = proxy.settings;
  await provoke({
    ending: 'ServerTooOld',
    when: '',
    server: { host, port, tls: 'off' },
    says: ['is too old', 'PostgreSQL 14 or later'],
  });
  await proxy.stop();
});

test('SessionNotKept: the secret leads to a pooler in transaction mode', async () => {
  let pooler: Pooler | undefined;
  await provoke({
    ending: 'SessionNotKept',
    when: '',
    deployment: withHost('127.0.0.1'),
    server: { tls: 'off' },
    async given(twin) {
      pooler = await startPooler(twin.database.settings, { mode: 'transaction', size: 2, order: 'last' });
      const { host, port } = pooler.settings;
      secretHas({ host, port })(twin);
    },
    says: ['gives each transaction to another session', 'a pool in session mode'],
  });
  await pooler?.stop();
});

test('ReadOnlyServer: the server says that it is a standby', async () => {
  const proxy = await startProxy(addressOf(testServer, 'postgres'), () => ({
    // The last column of the first answer.
    toClient: (bytes) =>
      Buffer.from(bytes.toString('latin1').replace('\0\0\0\x01fC', '\0\0\0\x01tC'), 'latin1'),
  }));
  const { host, port } = proxy.settings;
  await provoke({
    ending: 'ReadOnlyServer',
    when: '',
    server: { host, port, tls: 'off' },
    says: ['is a standby, which only reads', 'writer endpoint'],
  });
  await proxy.stop();
});

test('ConfigurationError: the instance runs another engine', async () => {
  const rds = createServer((_, response) =>
    response.end(
      `<DescribeDBInstancesResponse><DescribeDBInstancesResult><DBInstances><DBInstance>
         <DBInstanceIdentifier>${INSTANCE}</DBInstanceIdentifier><Engine>mariadb</Engine>
       </DBInstance></DBInstances></DescribeDBInstancesResult></DescribeDBInstancesResponse>`,
    ),
  ).listen(0, '127.0.0.1');
  await new Promise((listening) => rds.once('listening', listening));
  const execution = await execute({
    name: 'another-engine',
    input: {},
    deployment: deployed,
    environment: {
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL_RDS: `http://127.0.0.1:${(rds.address() as AddressInfo).port}`,
    },
  });
  rds.close();
  expect(execution.error).toBe('ConfigurationError');
  expect(execution.cause).toContain(`"${INSTANCE}" runs mariadb, not PostgreSQL\nHINT:  Name an instance`);
});

describe('an execution reaches the database', () => {
  /** Succeeds only if it gets through to the database, and sees that it is at head. */
  async function expectToGetThrough(twin: TestTwin): Promise<void> {
    const { status, error, cause } = (await twin.execute('status')).execution;
    expect({ status, error, cause }).toEqual({ status: 'SUCCEEDED' });
  }

  test('by a secret that says where it is, whatever RDS says', async () => {
    await using twin = await makeTwin({ at: '002', server: { port: 1 } });
    const { host, port } = testServer;
    secretHas({ host, port: String(port), dbname: twin.database.name, engine: 'postgres' })(twin);
    await expectToGetThrough(twin);
  });

  test('by a secret that writes the endpoint in capitals', async () => {
    await using twin = await makeTwin({ at: '002' });
    secretHas({ host: testServer.host.toUpperCase() })(twin);
    await expectToGetThrough(twin);
  });

  test('by the host that the configuration names, whether the secret names it, the endpoint or none', async () => {
    await using twin = await makeTwin({
      at: '002',
      deployment: withHost(testServer.host),
      server: { host: 'an-endpoint.out-of-reach.internal' },
    });
    await expectToGetThrough(twin);
    for (const host of [testServer.host, 'an-endpoint.out-of-reach.internal']) {
      secretHas({ host })(twin);
      await expectToGetThrough(twin);
    }
  });

  test('though the secret was rotated after it had been read', async () => {
    await using twin = await makeTwin({ at: '002' });
    const rotated = secretOf(twin, {});
    secretHas({ password: NEVER_SEEN })(twin);
    let asked = 0;
    twin.endpoint.onRequest = ({ action }) => {
      if (action === 'GetSecretValue' && ++asked === 2) secretIs(rotated)(twin);
      return undefined;
    };
    await expectToGetThrough(twin);
    // Once too often by Preflight, once by Validate.
    expect(asked).toBe(3);
  });

  test('though AWS throttles each first request', async () => {
    await using twin = await makeTwin({ at: '002' });
    const codes = new Map([
      ['DescribeDBInstances', 'Throttling'],
      ['GetSecretValue', 'ThrottlingException'],
    ]);
    twin.endpoint.onRequest = ({ action }) => {
      const code = codes.get(action);
      codes.delete(action);
      return code === undefined ? undefined : { code, message: 'Rate exceeded' };
    };
    await expectToGetThrough(twin);
    expect(codes.size).toBe(0);
  });
});
