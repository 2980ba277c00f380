// The server of the matrix has the version that TEST_POSTGRES names.
import { makeDatabase } from '../setup/database.ts';
import { installationOf, MAJORS, NEWEST } from './installations.ts';

const { TEST_DATABASE_URL, TEST_POSTGRES } = process.env;

(TEST_DATABASE_URL ? test.skip : test)(
  'the test server has the PostgreSQL version that TEST_POSTGRES names',
  async () => {
    const database = await makeDatabase('empty');
    const [server] = await database.query(
      "SELECT current_setting('server_version_num')::int / 10000 AS major",
    );
    expect(server).toEqual({ major: Number(TEST_POSTGRES || NEWEST) });
    await database.drop();
  },
);

test('every version from 14 on is in the matrix, each once', () => {
  expect(MAJORS).toEqual([14, 15, 16, 17, 18]);
});

test.each([13, 19, Number.NaN])('PostgreSQL %s is refused', async (major) => {
  await expect(installationOf(major)).rejects.toThrow('is not one of 14, 15, 16, 17, 18');
});
