// The state machine with a password and a token: whatever it does and however it ends, nothing shows them.
import { localDatabase } from '../../lib/twin/databases.ts';
import { makeTwin, withEnvironment } from '../machine/twin.ts';
import { hold } from '../setup/sessions.ts';
import { makeKeeper, PASSWORD, TOKEN, watch } from './witness.ts';

const { secretArn: SECRET_ARN } = localDatabase('codebase_mcp');

const settings = { AWS_SESSION_TOKEN: TOKEN, BACKSTOP_LOCK_WAIT_SECONDS: '0' };

interface Case {
  readonly ending: string;
  readonly input?: object;
  /** What the secret says besides the right user and password; or what stands in its place. */
  readonly secret?: object | string;
  readonly environment?: Readonly<Record<string, string>>;
  /** A lock that somebody holds. */
  readonly lock?: string;
}

test.each<Case>([
  { ending: 'success' },
  { ending: 'a way back that failed', input: { drill: 'downgrade-failure' } },
  { ending: 'a user that is not there', secret: { username: 'nobody' } },
  { ending: 'a server that is not there', secret: { port: 1 } },
  { ending: 'a secret that is no JSON', secret: PASSWORD },
  { ending: 'a port that is the password', secret: { port: PASSWORD } },
  { ending: 'a lock that is not granted', lock: 'LOCK TABLE repositories IN SHARE MODE' },
  { ending: 'a transaction out of time', environment: { BACKSTOP_TRANSACTION_SECONDS: '0.001' } },
])('$ending', async ({ input, secret = {}, environment = {}, lock = '' }) => {
  // AWS hands its token to a function in the environment, and there is no other way.
  const witness = watch(`AWS_SESSION_TOKEN=${TOKEN}`);
  const deployment = withEnvironment({ ...settings, ...environment, TMPDIR: witness.folder });
  {
    await using twin = await makeTwin({ deployment });
    const keeper = await makeKeeper(twin.database);
    const { user: username, password } = keeper.settings;
    const content = typeof secret === 'string' ? secret : JSON.stringify({ username, password, ...secret });
    twin.endpoint.secrets.set(SECRET_ARN, content);
    const holder = await hold(twin.database, lock);
    const { execution, events } = await twin.execute({ snapshot: false, ...input });
    await holder.release();
    witness.hear('the execution', execution);
    for (const event of events) witness.hear(`an event: ${event.type}`, event);
    const [found] = await twin.database.query("SELECT to_regclass('backstop.history') AS history");
    if (found?.history)
      witness.hear('the history', await twin.database.query('SELECT * FROM backstop.history'));
    witness.hear('what was asked of AWS', twin.endpoint.requests);
    await keeper.drop();
  }
  witness.testify();
});
