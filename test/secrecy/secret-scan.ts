// A secret that is easy to find, and a scan of all places that could show it.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { TestDatabase } from '../setup/database.ts';

/** The part of the secrets below that no encoding changes: in a URL and in JSON it reads the same. */
const CORE = `sesame${randomBytes(8).toString('hex')}`;
/** A password with characters that a URL, JSON and HTML encode. */
export const PASSWORD = `${CORE}/@:%"\\?#ä`;
/** Stands in for the session token that AWS gives to functions. */
export const TOKEN = `token-${CORE}`;

export interface SecretScan {
  /** `TMPDIR` of this process until the scan ends. */
  readonly folder: string;
  /** Searches a text, or an object with everything that it refers to. */
  add(where: string, content: unknown): void;
  /** Ends the scan after a last search of processes and files; throws an error with the places of each secret. */
  expectNone(): void;
}

/**
 * Searches the processes of this machine and the files of the temporary folder, again and again.
 *
 * @param allowed a variable, `NAME=value`, that may hold the secret in the environment of a process
 */
export function startScan(allowed?: string): SecretScan {
  const seen = new Set<string>();
  const find = (where: string, text: string) => {
    if (text.includes(CORE)) seen.add(where);
  };
  const before = process.env.TMPDIR;
  const folder = mkdtempSync(join(tmpdir(), 'backstop-test-'));
  process.env.TMPDIR = folder;
  const search = () => {
    for (const each of processes()) {
      find(`the arguments of ${each.args}`, each.args);
      const others = each.environment.filter((variable) => variable !== allowed);
      find(`the environment of ${each.args}`, others.join(' '));
    }
    for (const path of list(folder, true)) find(`the file ${path}`, read(join(folder, path)));
  };
  const timer = setInterval(search, 100);
  return {
    folder,
    add: (where, content) => find(where, typeof content === 'string' ? content : writtenOut(content)),
    expectNone() {
      clearInterval(timer);
      search();
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
      rmSync(folder, { recursive: true, force: true });
      expect([...seen]).toEqual([]);
    },
  };
}

/** As `inspect` writes it, with causes, stacks and hidden fields; and as JSON, with the result of `toJSON`. */
function writtenOut(content: unknown): string {
  return `${inspect(content, { depth: null, maxStringLength: null, maxArrayLength: null })}\n${JSON.stringify(content)}`;
}

/** Makes a role that may do what the owner of the database may, and whose password is {@link PASSWORD}. */
export async function makeLogin({ name, settings, asAdministrator }: TestDatabase) {
  const user = `login_of_${name}`;
  await asAdministrator(
    `CREATE ROLE ${user} LOGIN PASSWORD '${PASSWORD}' IN ROLE ${settings.user};
     ALTER ROLE ${user} SET role = ${settings.user}`,
  );
  return {
    settings: { ...settings, user, password: PASSWORD },
    drop: () => asAdministrator(`DROP ROLE ${user}`),
  };
}

interface ProcessInfo {
  readonly args: string;
  /** Empty if the process belongs to another user. */
  readonly environment: readonly string[];
}

/** Everything that `ps` shows, even to root; nothing on a system without /proc. */
export function processes(): ProcessInfo[] {
  return list('/proc', false)
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => ({
      args: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' '),
      environment: read(`/proc/${pid}/environ`).split('\0'),
    }));
}

/** Empty if the folder is gone. */
function list(folder: string, recursive: boolean): string[] {
  try {
    return readdirSync(folder, { recursive, encoding: 'utf8' });
  } catch {
    return [];
  }
}

/** Empty if the path is gone or is no file. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
