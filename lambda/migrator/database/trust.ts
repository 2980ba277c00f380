// The roles whose objects this user may rely on, and the owner of the database's tables, as SQL.
//
// A superuser is a member of every role in the server's eyes: so memberships are read from the catalogue.
import { quote } from '../grammar/names.ts';
import type { Database } from '../revisions/databases.ts';
import { effectsIn } from '../revisions/effects.ts';
import type { Revision } from '../revisions/revision.ts';

/** More names say no more about who owns the tables. */
const NAMES_ASKED = 200;

/** The sources of the names of a database's tables. */
export interface Telling {
  readonly definition?: Pick<Database['definition'], 'landmarks'>;
  readonly chain: Pick<Database['chain'], 'revisions'>;
}

const known = new WeakMap<Telling['chain'], string[]>();

/**
 * Tables by which the owner of the database's tables is known: the landmarks, or else the tables in the headers of the
 * revisions; qualified, as SQL. If no header names a table, it is known by the tables that the statements make.
 */
export function knownTables({ definition, chain }: Telling): string[] {
  const { landmarks = [] } = definition ?? {};
  if (landmarks.length > 0) return landmarks.map((name) => `public.${quote(name)}`);
  const found = known.get(chain) ?? tablesIn(chain.revisions);
  known.set(chain, found);
  return found;
}

function tablesIn(revisions: readonly Revision[]): string[] {
  const named = revisions.flatMap(({ upgrade }) => [...upgrade.locks, ...upgrade.scans]);
  const all = named.length > 0 ? named : madeBy(revisions.slice(0, NAMES_ASKED));
  return [...new Set(all)].slice(0, NAMES_ASKED);
}

function madeBy(revisions: readonly Revision[]): string[] {
  try {
    const effects = effectsIn(revisions.map(({ upgrade }) => upgrade)) ?? [];
    return effects.flatMap((effect) => {
      if (!('makes' in effect)) return [];
      return [effect.makes.includes('"."') ? effect.makes : `public.${effect.makes}`];
    });
  } catch {
    // A file that is no SQL is refused when a run needs it.
    return [];
  }
}

/**
 * Common table expressions, to be put after `WITH RECURSIVE`:
 *
 * - `owner (role)`: the owner of most of the known tables, if the database is at a revision: no row otherwise;
 * - `trusted (role)`: superusers, this user and its members; unless this user is an administrator, too, roles whose only
 *   member it is, and the owner of the tables with its members, if this user is one of them. Their code may run as this user;
 * - `ours (role)`: those, every role whose member this user is, and the owner of the tables with its members. They own
 *   objects of a known shape, in which no code of theirs is run.
 *
 * @param known the tables, as an expression of type `text[]`
 */
export function trust(known: string): string {
  return `
  me (role) AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname IN (current_user, session_user)),
  -- Up to PostgreSQL 15 a role may make anybody its member: such a membership proves nothing. From 16 on, the creator of
  -- a role is a member that can do nothing with it.
  membership (role, member) AS (
    SELECT roleid, member FROM pg_catalog.pg_auth_members AS m
    WHERE grantor <> roleid AND coalesce((pg_catalog.to_jsonb(m) ->> 'inherit_option')::bool
                                         OR (pg_catalog.to_jsonb(m) ->> 'set_option')::bool, true)),
  owner (role) AS (
    SELECT c.relowner
    FROM (SELECT DISTINCT pg_catalog.parse_ident(name) AS parts FROM pg_catalog.unnest(${known}) AS k(name)) AS known
    JOIN pg_catalog.pg_namespace AS n ON n.nspname = parts[1]
    JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = parts[2] AND c.relkind IN ('r', 'p')
    WHERE EXISTS (SELECT FROM pg_catalog.pg_class AS v JOIN pg_catalog.pg_namespace AS p ON p.oid = v.relnamespace
                  WHERE p.nspname = 'public' AND v.relname = 'alembic_version' AND v.relkind = 'r')
    GROUP BY c.relowner ORDER BY pg_catalog.count(*) DESC, c.relowner LIMIT 1),
  -- Amazon RDS has no superuser for its users: rds_superuser administers.
  administrators (role) AS (
    SELECT oid FROM pg_catalog.pg_roles
    WHERE rolsuper OR rolname = 'rds_superuser' AND EXISTS (
      SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rdsadmin' AND rolsuper)
    UNION SELECT m.member FROM administrators JOIN membership AS m ON m.role = administrators.role),
  above (role) AS (
    SELECT role FROM me UNION SELECT m.role FROM above JOIN membership AS m ON m.member = above.role),
  -- The roles in whose name an ordinary user acts. An administrator can do more than each of them.
  acted (role) AS (
    SELECT role FROM above WHERE NOT EXISTS (SELECT FROM me WHERE role IN (SELECT role FROM administrators))),
  below (role) AS (
    SELECT role FROM (SELECT role FROM me UNION SELECT role FROM owner WHERE role IN (SELECT role FROM acted)) AS begin
    UNION SELECT m.member FROM below JOIN membership AS m ON m.role = below.role),
  kin (role) AS (
    SELECT role FROM owner UNION SELECT m.member FROM kin JOIN membership AS m ON m.role = kin.role),
  trusted (role) AS (
    SELECT role FROM administrators UNION SELECT role FROM below
    UNION SELECT role FROM acted WHERE NOT EXISTS (
      SELECT FROM membership AS m WHERE m.role = acted.role
      AND m.member NOT IN (SELECT role FROM administrators UNION SELECT role FROM below))),
  ours (role) AS (
    SELECT role FROM trusted UNION SELECT role FROM above UNION SELECT role FROM kin)`;
}
