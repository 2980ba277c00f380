// The database's current revision in its chain, or a refusal that says how to go on.
import { BackstopError } from '../model/errors.ts';
import { BASE, type RevisionId } from '../model/report.ts';
import { type Chain, describeChain, idAt, position } from '../revisions/chain.ts';
import type { Phase } from '../revisions/check.ts';
import type { Database } from '../revisions/databases.ts';
import type { Revision } from '../revisions/revision.ts';
import type { Queries } from '../session/client.ts';
import { runChecks } from './checks.ts';
import { knownTables } from './trust.ts';
import { readVersions, requireNoOther } from './version-table.ts';

/**
 * The revision that the database says it is at; base where it says nothing.
 *
 * @throws UnknownRevision if it names a revision without a folder, or more than one revision, of which the hint names the
 *   revision whose checks the schema passes; or if the version table is in another schema
 */
export async function readCurrent(queries: Queries, database: Database): Promise<RevisionId> {
  const {
    chain,
    definition: { name },
  } = database;
  await requireNoOther(queries);
  const versions = await readVersions(queries);
  const [version = BASE] = versions;
  if (versions.length <= 1 && isKnown(chain, version)) return version;
  const found = versions.join(', ');
  throw new BackstopError('UnknownRevision', {
    ...(versions.length > 1
      ? {
          message: `The database says that it is at ${versions.length} revisions at once`,
          detail: `public.alembic_version holds ${found}.`,
        }
      : {
          message: `Can't locate revision identified by '${version}'`,
          detail: `public.alembic_version holds ${found}; ${whose(database, version)}the revisions of ${name} are ${describeChain(chain)}.`,
        }),
    hint: remedy(database, await recognize(queries, database)),
  });
}

/** A version of the system's other database tells that the connection leads there, or that it was stamped wrongly. */
function whose({ others = [] }: Database, version: RevisionId): string {
  const owner = others.find(({ revisions }) => revisions().includes(version));
  return owner === undefined ? '' : `${version} is a revision of ${owner.definition.name}; `;
}

function isKnown(chain: Chain, id: RevisionId): boolean {
  return id === BASE || chain.revisions.some((revision) => revision.id === id);
}

function remedy({ definition: { name } }: Database, looksLike: RevisionId | undefined): string {
  const stamp = (id: string) => `npx backstop stamp ${id} --purge --database ${name}`;
  return looksLike === undefined
    ? `If a newer version of these folders made it, run that one; if you are certain where the database is: ${stamp('REVISION')}`
    : `Its schema passes the checks of ${looksLike}. If a newer version of these folders made it, run that one; else: ${stamp(looksLike)}`;
}

/** For the checks of one revision: the size of the database is unknown here. */
const RECOGNITION_MS = 10_000;

/** The newest revision whose checks the schema passes; undefined if no revision fits. */
async function recognize(queries: Queries, database: Database): Promise<RevisionId | undefined> {
  const { chain } = database;
  const known = knownTables(database);
  for (const revision of chain.revisions.toReversed()) {
    if (await holds(queries, known, revision, 'after-upgrade')) return revision.id;
    const before = idAt(chain, position(chain, revision.id) - 1);
    const judgesItself = chain.revisions.some(
      ({ id, checks }) => id === before && checks['after-upgrade'].length > 0,
    );
    if (!judgesItself && (await holds(queries, known, revision, 'after-downgrade'))) return before;
  }
  return undefined;
}

async function holds(
  queries: Queries,
  known: readonly string[],
  { id, checks }: Revision,
  phase: Phase,
): Promise<boolean> {
  if (checks[phase].length === 0) return false;
  // A check that cannot even run speaks of another schema.
  const verdict = runChecks(
    queries,
    { revision: id, phase, checks: checks[phase] },
    { timeoutMs: RECOGNITION_MS, known },
  );
  return verdict.then(
    ({ passed }) => passed,
    () => false,
  );
}
