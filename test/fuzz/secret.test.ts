// Every secret and every answer of Secrets Manager gives credentials, or an error that does not show them.
import fc from 'fast-check';
import { type AwsAnswer, type Oracle, startOracle } from './answers.ts';
import { civilly, numRuns, SECRET } from './runs.ts';

let oracle: Oracle;
let readCredentials: typeof import('../../lambda/aws/secret.ts').readCredentials;
beforeAll(async () => {
  oracle = await startOracle();
  ({ readCredentials } = await import('../../lambda/aws/secret.ts'));
});
afterAll(() => oracle[Symbol.asyncDispose]());

const value = fc.oneof(
  fc.constantFrom<unknown>(
    SECRET,
    `${SECRET}\n`,
    'postgres',
    5432,
    '5432',
    -1,
    1e9,
    '',
    null,
    true,
    '__proto__',
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.jsonValue(),
);
const fields = fc.dictionary(
  fc.constantFrom('username', 'password', 'host', 'port', 'dbname', 'engine', 'pasword', SECRET),
  value,
);
/** Mostly credentials. */
const content = fc.oneof(
  fc.tuple(value, fields).map(([password, rest]) => JSON.stringify({ username: 'me', password, ...rest })),
  fc.tuple(fc.string({ maxLength: 10 }), fc.string({ maxLength: 10 })).map((around) => around.join(SECRET)),
  fc.jsonValue().map((any) => JSON.stringify([SECRET, any])),
  fields.map((each) => JSON.stringify(each).slice(0, -1)),
);
const answered = (result: object): AwsAnswer => ({ status: 200, body: JSON.stringify(result) });
const answer = fc.oneof(
  { weight: 6, arbitrary: content.map((SecretString) => answered({ ARN: 'arn', SecretString })) },
  { weight: 1, arbitrary: value.map((SecretString) => answered({ SecretString })) },
  {
    weight: 1,
    arbitrary: content.map((text) => answered({ SecretBinary: Buffer.from(text).toString('base64') })),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      status: fc.constantFrom(200, 204, 302, 400, 403, 500, 503),
      body: fc.oneof(
        content,
        content.map((text) =>
          JSON.stringify({ __type: 'AccessDeniedException', message: 'No', SecretString: text }),
        ),
        fc.jsonValue().map((any) => JSON.stringify({ __type: any, message: any })),
        fc.uint8Array({ maxLength: 20 }),
      ),
    }),
  },
);

test('random secrets and answers give usable credentials or a named error', async () => {
  await fc.assert(
    fc.asyncProperty(answer, async (given) => {
      oracle.answers = () => given;
      const credentials = await civilly(
        () => readCredentials('arn:secret'),
        ['SecretMalformed', 'ConfigurationError'],
      );
      if (!credentials) return;
      const { username, password, host = 'h', port = 1, dbname = 'd' } = credentials;
      for (const text of [username, password, host, dbname]) expect(text).toMatch(/./s);
      expect(Number.isInteger(port) && port > 0 && port < 65_536).toBe(true);
    }),
    {
      numRuns,
      // Its name has no text: found at random, once in thousands of runs.
      examples: [[{ status: 500, body: '{"__type":[{"toString":""}],"message":[{"toString":""}]}' }]],
    },
  );
});
