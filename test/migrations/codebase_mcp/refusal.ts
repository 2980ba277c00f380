// A refusal of 002: the words that it must have, and how a test tries it.

import { BackstopError } from '../../../lambda/migrator/model/errors.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { contentsOf } from './contents.ts';

export interface Refusal {
  /** The SQL that makes the obstacle. */
  readonly given: string;
  /** Only the administrator may do it, not the owner. */
  readonly asAdministrator?: true;
  readonly name: string;
  readonly message: string | RegExp;
  readonly detail: string | RegExp;
  readonly hint: string | RegExp;
}

/** The columns as this revision makes them. */
export const REPOSITORIES = `ALTER TABLE repositories ADD project_id varchar(50) NOT NULL DEFAULT 'default';`;
export const CHUNKS = `ALTER TABLE code_chunks ADD project_id varchar(50) NOT NULL DEFAULT 'default';
  ALTER TABLE code_chunks ALTER project_id DROP DEFAULT;`;
export const everyRepository = (value: string) =>
  `${REPOSITORIES} UPDATE repositories SET project_id = '${value}';`;

/** The ending of a run that must be refused. */
export const failureOf = async (run: Promise<unknown>): Promise<BackstopError> => {
  const failure = await run.catch((error) => error);
  if (!(failure instanceof BackstopError)) throw new Error(`not refused: ${JSON.stringify(failure)}`);
  return failure;
};

export const prepare = (db: TestDatabase, { given, asAdministrator }: Refusal) =>
  asAdministrator ? db.asAdministrator(`SET search_path = public; ${given}`) : db.query(given);

/** The run is refused in these words and without a trace. After the SQL of the hint, which follows its first colon, it succeeds. */
export async function expectRefusal(
  db: TestDatabase,
  run: () => Promise<unknown>,
  { name, message, detail, hint }: Refusal,
) {
  const before = await contentsOf(db);
  const failure = await failureOf(run());
  expect(failure).toMatchObject({
    name,
    summary: typeof message === 'string' ? message : expect.stringMatching(message),
    detail: typeof detail === 'string' ? detail : expect.stringMatching(detail),
    hint: typeof hint === 'string' ? hint : expect.stringMatching(hint),
  });
  expect(await contentsOf(db)).toEqual(before);

  await db.query(failure.hint?.replace(/^.*?: /, '') ?? '');
  await run();
}
