// The flags that databases.json adds to the command line: short names for some of its databases, or for their status.
import { Option } from 'commander';
import { BackstopError, isEnding } from '../../lambda/migrator/model/errors.ts';
import { type DatabaseDefinition, readDefinitions } from '../../lambda/migrator/revisions/databases.ts';
import { MIGRATIONS } from '../../lib/paths.ts';

/** `only` chooses the databases that declare the flag; `status` shows where databases are, and upgrades none. */
export type FlagMeaning = keyof NonNullable<DatabaseDefinition['flags']>;

export interface DatabaseFlag {
  /** As it is typed: `--orders-only`. */
  readonly flag: string;
  /** The name of the option that commander reads it into: `ordersOnly`. */
  readonly attribute: string;
  readonly meaning: FlagMeaning;
  /** Names of the databases that declare it. */
  readonly databases: readonly string[];
}

export interface AddedFlags {
  readonly flags: readonly DatabaseFlag[];
  /** The error in the flags: every verb ends with it, and the help can still be read. */
  readonly problem?: BackstopError | undefined;
}

const MEANINGS: readonly FlagMeaning[] = ['only', 'status'];

/**
 * The flags of the databases.json that the arguments name. If the file cannot be read, there are no flags, and the verb
 * reports the error.
 *
 * @param taken flags that the command line has already
 */
export function readFlags(args: readonly string[], taken: ReadonlySet<string>): AddedFlags {
  const declared = collect(definitionsIn(migrationsIn(args)));
  const flags = declared.filter(({ flag }, index) => {
    return !taken.has(flag) && declared.findIndex((other) => other.flag === flag) === index;
  });
  return { flags, problem: problemOf(declared, taken) };
}

/** The value of the last `--migrations`, read before commander reads the arguments. */
function migrationsIn(args: readonly string[]): string {
  const end = args.indexOf('--');
  const options = end === -1 ? args : args.slice(0, end);
  const values = options.flatMap((arg, index) => {
    if (arg === '--migrations') return options[index + 1] ?? [];
    return arg.startsWith('--migrations=') ? arg.slice('--migrations='.length) : [];
  });
  return values.at(-1) ?? MIGRATIONS;
}

function definitionsIn(migrations: string): DatabaseDefinition[] {
  try {
    return readDefinitions(migrations);
  } catch (error) {
    if (isEnding(error, 'RevisionInvalid')) return [];
    throw error;
  }
}

/** Each flag with each of its meanings once. */
function collect(definitions: readonly DatabaseDefinition[]): DatabaseFlag[] {
  return MEANINGS.flatMap((meaning) => {
    const declaring = definitions.filter(({ flags }) => flags?.[meaning] !== undefined);
    const byFlag = Map.groupBy(declaring, ({ flags }) => flags?.[meaning] as string);
    return [...byFlag].map(([flag, those]) => ({
      flag,
      attribute: new Option(flag).attributeName(),
      meaning,
      databases: those.map(({ name }) => name),
    }));
  });
}

function problemOf(declared: readonly DatabaseFlag[], taken: ReadonlySet<string>): BackstopError | undefined {
  const existing = declared.find(({ flag }) => taken.has(flag));
  if (existing)
    return invalid(existing.flag, declared, `the command line has a flag ${existing.flag} already`);
  const ambiguous = declared.find(({ flag, meaning }) => {
    return declared.some((other) => other.flag === flag && other.meaning !== meaning);
  });
  return (
    ambiguous && invalid(ambiguous.flag, declared, `${ambiguous.flag} is both an "only" and a "status" flag`)
  );
}

function invalid(flag: string, declared: readonly DatabaseFlag[], why: string): BackstopError {
  const databases = new Set(declared.flatMap((other) => (other.flag === flag ? other.databases : [])));
  return new BackstopError('RevisionInvalid', {
    message: `databases.json adds an ambiguous flag: ${why}`,
    detail: `${flag} is declared by ${[...databases].join(', ')}.`,
    hint: 'Choose another name for it in databases.json, under "flags".',
  });
}
