// The state machine with a password and a token: nothing that it does shows them.
import { localDatabase } from '../../lib/twin/databases.ts';
import { makeTwin, withEnvironment } from '../machine/twin.ts';
import { hold } from '../setup/sessions.ts';
import { makeLogin, PASSWORD, startScan, TOKEN } from './secret-scan.ts';

const { secretArn: SECRET_ARN } = localDatabase('codebase_mcp');

const settings = { AWS_SESSION_TOKEN: TOKEN, BACKSTOP_LOCK_WAIT_SECONDS: '0' };

interface Case {
  readonly ending: string;
  readonly input?: object;
  /** Fields of the secret in addition to user and password, or a text that replaces it. */
  readonly secret?: object | string;
  readonly environment?: Readonly<Record<string, string>>;
  /** SQL that takes a lock, which another session holds. */
  readonly lock?: string;
}

test.each<Case>([
  { ending: 'success' },
  { ending: 'a rollback that fails', input: { drill: 'downgrade-failure' } },
  { ending: 'an unknown user', secret: { username: 'stranger' } },
  { ending: 'an unreachable server', secret: { port: 1 } },
  { ending: 'a secret that is not JSON', secret: PASSWORD },
  { ending: 'a port that is the password', secret: { port: PASSWORD } },
  { ending: 'a lock that is not granted', lock: 'LOCK TABLE repositories IN SHARE MODE' },
  { ending: 'a transaction that runs out of time', environment: { BACKSTOP_TRANSACTION_SECONDS: '0.001' } },
])(
  'no execution shows a password or a token: $ending',
  async ({ input, secret = {}, environment = {}, lock = '' }) => {
    // AWS passes the token to a function in its environment.
    const scan = startScan(`AWS_SESSION_TOKEN=${TOKEN}`);
    const deployment = withEnvironment({ ...settings, ...environment, TMPDIR: scan.folder });
    {
      await using twin = await makeTwin({ deployment });
      const login = await makeLogin(twin.database);
      const { user: username, password } = login.settings;
      const content = typeof secret === 'string' ? secret : JSON.stringify({ username, password, ...secret });
      twin.endpoint.secrets.set(SECRET_ARN, content);
      const holder = await hold(twin.database, lock);
      const { execution, events } = await twin.execute({ snapshot: false, ...input });
      await holder.release();
      scan.add('the execution', execution);
      for (const event of events) scan.add(`an event: ${event.type}`, event);
      const [found] = await twin.database.query("SELECT to_regclass('backstop.history') AS history");
      if (found?.history)
        scan.add('the history', await twin.database.query('SELECT * FROM backstop.history'));
      scan.add('the requests to AWS', twin.endpoint.requests);
      await login.drop();
    }
    scan.expectNone();
  },
);
