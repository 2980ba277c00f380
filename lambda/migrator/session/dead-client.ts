// A client that dies while a statement runs: the server looks each second whether it is there, and else ends the session.

const EACH_SECOND = "client_connection_check_interval = '1s';";

/** Servers on some platforms cannot do it. */
const INVALID_VALUE = '22023';

/**
 * Sends SQL with the statement that makes the server look.
 *
 * @param send gets the statement, or an empty text if the server cannot do it
 */
export async function noticeDeadClient<T>(
  set: 'SET' | 'SET LOCAL',
  send: (notice: string) => Promise<T>,
): Promise<T> {
  try {
    return await send(`${set} ${EACH_SECOND}`);
  } catch (error) {
    if ((error as { code?: string }).code !== INVALID_VALUE) throw error;
    return send('');
  }
}
