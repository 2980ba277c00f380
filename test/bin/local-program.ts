// `npm start` as a program: starts it as a user does, and finds what it left behind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ROOT } from '../../lib/paths.ts';
import { withClient } from '../../lib/twin/server/client.ts';
import { testServer } from '../setup/database.ts';

/** @param databaseUrl without it, the program starts its own server */
export async function start(options: string[], databaseUrl = '') {
  const child = spawn(process.execPath, [join(ROOT, 'bin/local.ts'), ...options], {
    env: { ...process.env, DATABASE_URL: databaseUrl },
  });
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { stdout, stderr, status };
}

/** Databases and roles that a finished run left on the server of the tests. */
export async function leftBehind(): Promise<unknown[]> {
  const { rows } = await withClient(testServer, 'postgres', (client) =>
    client.query(`SELECT datname FROM pg_database WHERE datname LIKE 'backstop\\_local%'
                  UNION ALL SELECT rolname FROM pg_roles WHERE rolname LIKE 'backstop\\_local%'`),
  );
  return rows;
}
