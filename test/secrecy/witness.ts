// A secret that is easy to find, and a look at every place where it could be seen.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { TestDatabase } from '../setup/database.ts';

/** As it stands in every way in which the secrets below may be written: raw, in a URL, in JSON. */
const CORE = `sesame${randomBytes(8).toString('hex')}`;
/** A password that needs encoding wherever there is any. */
export const PASSWORD = `${CORE}/@:%"\\?#ä`;
/** Such as AWS gives to functions. */
export const TOKEN = `token-${CORE}`;

export interface Witness {
  /** A folder that is `TMPDIR` of this process until the witness is heard. */
  readonly folder: string;
  /** Notes something that was told: text, or an object with all that hangs on it. */
  hear(where: string, told: unknown): void;
  /** Throws with the places where the secret was; looks into the files a last time. */
  testify(): void;
}

/**
 * Looks at the processes of this machine again and again, and at the files of the temporary folder.
 *
 * @param told a variable of the environment, `NAME=value`, by which a process is told the secret
 */
export function watch(told?: string): Witness {
  const seen = new Set<string>();
  const find = (where: string, text: string) => {
    if (text.includes(CORE)) seen.add(where);
  };
  const before = process.env.TMPDIR;
  const folder = mkdtempSync(join(tmpdir(), 'backstop-test-'));
  process.env.TMPDIR = folder;
  const look = () => {
    for (const each of processes()) {
      find(`the arguments of ${each.args}`, each.args);
      const untold = each.environment.filter((variable) => variable !== told);
      find(`the environment of ${each.args}`, untold.join(' '));
    }
    for (const path of list(folder, true)) find(`the file ${path}`, read(join(folder, path)));
  };
  const timer = setInterval(look, 100);
  return {
    folder,
    hear: (where, told) => find(where, typeof told === 'string' ? told : writtenOut(told)),
    testify() {
      clearInterval(timer);
      look();
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
      rmSync(folder, { recursive: true, force: true });
      expect([...seen]).toEqual([]);
    },
  };
}

/** With causes, stacks and fields that JSON leaves out; and as JSON, with what a logger would call. */
function writtenOut(told: unknown): string {
  return `${inspect(told, { depth: null, maxStringLength: null, maxArrayLength: null })}\n${JSON.stringify(told)}`;
}

/** A role that may do in a database what its owner may, and has the password. */
export async function makeKeeper({ name, settings, asAdministrator }: TestDatabase) {
  const user = `keeper_of_${name}`;
  await asAdministrator(
    `CREATE ROLE ${user} LOGIN PASSWORD '${PASSWORD}' IN ROLE ${settings.user};
     ALTER ROLE ${user} SET role = ${settings.user}`,
  );
  return {
    settings: { ...settings, user, password: PASSWORD },
    drop: () => asAdministrator(`DROP ROLE ${user}`),
  };
}

interface ProcessLook {
  readonly args: string;
  /** Empty where it belongs to somebody else. */
  readonly environment: readonly string[];
}

/** Whoever runs `ps`, root included, sees no more. Without /proc there is nothing to see. */
export function processes(): ProcessLook[] {
  return list('/proc', false)
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => ({
      args: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' '),
      environment: read(`/proc/${pid}/environ`).split('\0'),
    }));
}

/** Empty where there is no such folder by now. */
function list(folder: string, recursive: boolean): string[] {
  try {
    return readdirSync(folder, { recursive, encoding: 'utf8' });
  } catch {
    return [];
  }
}

/** Empty for what is gone by now, or is no file. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
