// The objects of the fingerprint, as common table expressions that the lines of every kind read.
//
// The session resolves names in pg_catalog alone: so the text of a regclass, regtype or regprocedure is qualified
// if and only if it is the user's.

import { FIRST_OID } from '../first-oid.ts';

/** A kind of object, or more kinds that are found together. */
export interface Kind {
  /** The rows of the catalogue without which there is no such object, to be put after FROM. Default: always looked for. */
  readonly in?: string;
  /** A query of lines, which reads {@link SCOPE}. */
  readonly lines: string;
}

/** A condition on `d`, a row of pg_database. */
export const THIS_DATABASE = 'd.datname = pg_catalog.current_database()';

/** Schemas that are left out, as a condition on `nspname`. */
const LEFT_OUT = "(nspname ~ '^(pg_|retired_)' OR nspname IN ('information_schema', 'backstop'))";

/**
 * - `schemas (oid, name)`, the name as SQL;
 * - `members (class, oid)`: objects of extensions;
 * - `relations`: with `place`, the qualified name as SQL.
 */
export const SCOPE = `
  schemas AS MATERIALIZED (
    SELECT oid, nspname, nspowner, nspacl, pg_catalog.quote_ident(nspname) AS name
    FROM pg_catalog.pg_namespace WHERE NOT ${LEFT_OUT}),
  members AS MATERIALIZED (
    SELECT classid AS class, objid AS oid FROM pg_catalog.pg_depend
    WHERE refclassid = 'pg_catalog.pg_extension'::regclass AND deptype = 'e'),
  relations AS MATERIALIZED (
    SELECT c.oid, c.relkind, c.relowner, c.relacl, c.reltoastrelid, c.relam, c.relpersistence, c.relreplident, c.relispartition,
           c.relrowsecurity, c.relforcerowsecurity, c.reltablespace, c.reloptions, c.reloftype, c.relhasrules, c.relhastriggers,
           s.name || '.' || pg_catalog.quote_ident(c.relname) AS place
    FROM pg_catalog.pg_class AS c JOIN schemas AS s ON s.oid = c.relnamespace
    WHERE c.oid >= ${FIRST_OID} AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
      AND c.oid NOT IN (SELECT m.oid FROM members AS m WHERE m.class = 'pg_catalog.pg_class'::regclass)
      AND NOT (c.relname = 'alembic_version' AND s.nspname = 'public')
      -- The type of an extension's: its row is a relation that is no member itself.
      AND NOT (c.relkind = 'c' AND c.reltype IN (SELECT m.oid FROM members AS m WHERE m.class = 'pg_catalog.pg_type'::regclass)))`;

/** The name of a role; PUBLIC for 0. */
export const role = (oid: string) =>
  `CASE ${oid} WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(${oid})) END`;

/** A text that is compared and never printed. */
export const hashed = (text: string) => `pg_catalog.left(pg_catalog.md5(${text}), 12)`;

/** A list of options, in one order. The hash of a value is too short to find out a password with it. */
export const hidden = (options: string) => `(
  SELECT pg_catalog.string_agg(pg_catalog.split_part(o, '=', 1) || '=' || pg_catalog.left(pg_catalog.md5(o), 4), ', ' ORDER BY o COLLATE "C")
  FROM pg_catalog.unnest(${options}) AS o)`;

/** A list of options, in one order. */
export const shown = (options: string) => `(
  SELECT pg_catalog.string_agg(o, ', ' ORDER BY o COLLATE "C") FROM pg_catalog.unnest(${options}) AS o)`;

/** A text as it is, or its beginning and a hash if it is long. */
export const short = (text: string) => `CASE WHEN pg_catalog.length(${text}) > 300
  THEN pg_catalog.left(${text}, 200) || '… ' || ${hashed(text)} ELSE ${text} END`;

/** A condition on `p`, a row of pg_proc: the function belongs neither to an extension nor to a range type, with which the server makes it. */
export const ROUTINE = `p.oid >= ${FIRST_OID} AND p.oid NOT IN (SELECT m.oid FROM members AS m WHERE m.class = 'pg_catalog.pg_proc'::regclass)
    AND NOT (p.prolang = 12 AND p.prosrc ~ '^(multi)?range_constructor')`;

/** True for an object that no extension has brought. */
export const own = (catalogue: string, oid: string) =>
  `${oid} NOT IN (SELECT m.oid FROM members AS m WHERE m.class = 'pg_catalog.${catalogue}'::regclass)`;
