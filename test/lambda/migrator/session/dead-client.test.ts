// A server that cannot notice a dead client is asked without it; any other error stays an error.
import { noticeDeadClient } from '../../../../lambda/migrator/session/dead-client.ts';

const NOTICE = "SET LOCAL client_connection_check_interval = '1s';";

/** A server that answers the first statement with this SQLSTATE, and the texts that it got. */
function serverWith(code: string) {
  const got: string[] = [];
  const send = async (notice: string) => {
    got.push(notice);
    if (got.length === 1) throw Object.assign(new Error('refused'), { code });
    return 'answer';
  };
  return { got, send };
}

test('a server of a platform that cannot do it is asked again without the setting', async () => {
  const { got, send } = serverWith('22023');
  await expect(noticeDeadClient('SET LOCAL', send)).resolves.toBe('answer');
  expect(got).toEqual([NOTICE, '']);
});

test('another refusal is not tried again', async () => {
  const { got, send } = serverWith('57014');
  await expect(noticeDeadClient('SET LOCAL', send)).rejects.toMatchObject({ code: '57014' });
  expect(got).toEqual([NOTICE]);
});
