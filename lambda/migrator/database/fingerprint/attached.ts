// The lines of objects that are attached to a table: triggers, rules, policies, extended statistics, publications.
import { FIRST_OID } from '../first-oid.ts';
import { type Kind, own, role, short, THIS_DATABASE } from './scope.ts';

const ENABLED = (flag: string) =>
  `CASE ${flag} WHEN 'O' THEN '' WHEN 'D' THEN ', disabled' WHEN 'R' THEN ', replica' ELSE ', always' END`;

/** A partition's copy of its parent's trigger has a line only if it is enabled otherwise. */
const TRIGGERS = `
  SELECT 'trigger ' || pg_catalog.quote_ident(t.tgname) || ' on ' || r.place || E'\\t'
         || CASE WHEN t.tgparentid = 0 THEN coalesce(${short('pg_catalog.pg_get_triggerdef(t.oid)')}, '?') ELSE 'of its parent' END
         || ${ENABLED('t.tgenabled')}
  FROM pg_catalog.pg_trigger AS t JOIN relations AS r ON r.oid = t.tgrelid
  LEFT JOIN pg_catalog.pg_trigger AS p ON p.oid = t.tgparentid
  WHERE CASE WHEN t.tgparentid = 0 THEN NOT t.tgisinternal ELSE t.tgconstraint = 0 AND t.tgenabled <> p.tgenabled END`;

const RULES = `
  SELECT 'rule ' || pg_catalog.quote_ident(w.rulename) || ' on ' || r.place || E'\\t'
         || coalesce(${short("pg_catalog.regexp_replace(pg_catalog.pg_get_ruledef(w.oid), '[[:space:]]+', ' ', 'g')")}, '?') || ${ENABLED('w.ev_enabled')}
  FROM pg_catalog.pg_rewrite AS w JOIN relations AS r ON r.oid = w.ev_class
  WHERE w.rulename <> '_RETURN'`;

const POLICIES = `
  SELECT 'policy ' || pg_catalog.quote_ident(p.polname) || ' on ' || r.place || E'\\t'
         || CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END || ' for '
         || CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END
         || ' to ' || (SELECT pg_catalog.string_agg(name, ', ' ORDER BY name COLLATE "C")
                       FROM (SELECT ${role('g')} AS name FROM pg_catalog.unnest(p.polroles) AS g) AS named)
         || coalesce(' USING (' || ${short('u.text')} || ')', '') || coalesce(' WITH CHECK (' || ${short('c.text')} || ')', '')
  FROM pg_catalog.pg_policy AS p JOIN relations AS r ON r.oid = p.polrelid
  CROSS JOIN LATERAL pg_catalog.pg_get_expr(p.polqual, p.polrelid) AS u (text)
  CROSS JOIN LATERAL pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) AS c (text)`;

const STATISTICS = `
  SELECT 'statistics ' || n.name || '.' || pg_catalog.quote_ident(s.stxname) || E'\\t' || 'owner ' || ${role('s.stxowner')} || ', '
         || coalesce(pg_catalog.substring(pg_catalog.pg_get_statisticsobjdef(s.oid), 'CREATE STATISTICS [^ ]+ (.*)'), '?')
         || CASE WHEN s.stxstattarget >= 0 THEN ', target ' || s.stxstattarget::text ELSE '' END
  FROM pg_catalog.pg_statistic_ext AS s JOIN schemas AS n ON n.oid = s.stxnamespace`;

/** The oid of pg_publication_namespace, which PostgreSQL 14 does not have: the dependencies name what its rows link. */
const PUBLICATION_NAMESPACE = 6237;

const PUBLICATIONS = `
  SELECT 'publication ' || pg_catalog.quote_ident(p.pubname) || E'\\t' || 'owner ' || ${role('p.pubowner')}
         || CASE WHEN p.puballtables THEN ', all tables' ELSE '' END
         || CASE WHEN p.pubinsert THEN ', insert' ELSE '' END || CASE WHEN p.pubupdate THEN ', update' ELSE '' END
         || CASE WHEN p.pubdelete THEN ', delete' ELSE '' END || CASE WHEN p.pubtruncate THEN ', truncate' ELSE '' END
         || CASE WHEN p.pubviaroot THEN ', via root' ELSE '' END
         || CASE WHEN coalesce(pg_catalog.to_jsonb(p) ->> 'pubgencols', 'n') IN ('n', 'false') THEN '' ELSE ', generated columns' END
  FROM pg_catalog.pg_publication AS p WHERE ${own('pg_publication', 'p.oid')}
  UNION ALL
  SELECT 'table ' || r.place || ' in publication ' || pg_catalog.quote_ident(p.pubname) || E'\\t'
         || coalesce('(' || (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_catalog.pg_attribute AS a
                             WHERE a.attrelid = x.prrelid AND x.attributes @> pg_catalog.to_jsonb(a.attnum)) || ')', 'all columns')
         || coalesce(' WHERE ' || ${short('pg_catalog.pg_get_expr(x.prqual, x.prrelid)')}, '')
  -- PostgreSQL 14 has no such column: there the name finds the null of the outer query.
  FROM (SELECT NULL::pg_node_tree AS prqual) AS older CROSS JOIN LATERAL (
    SELECT x.prrelid, x.prpubid, prqual, pg_catalog.to_jsonb(x) -> 'prattrs' AS attributes FROM pg_catalog.pg_publication_rel AS x) AS x
  JOIN relations AS r ON r.oid = x.prrelid JOIN pg_catalog.pg_publication AS p ON p.oid = x.prpubid
  UNION ALL
  SELECT 'schema ' || n.name || ' in publication ' || pg_catalog.quote_ident(p.pubname) || E'\\t' || 'all tables'
  FROM pg_catalog.pg_depend AS d JOIN schemas AS n ON n.oid = d.refobjid
  JOIN pg_catalog.pg_depend AS e ON e.classid = d.classid AND e.objid = d.objid AND e.refclassid = 'pg_catalog.pg_publication'::regclass
  JOIN pg_catalog.pg_publication AS p ON p.oid = e.refobjid
  WHERE d.classid = ${PUBLICATION_NAMESPACE} AND d.refclassid = 'pg_catalog.pg_namespace'::regclass`;

/** Subscriptions of this database; most users may not read how they connect. */
const SUBSCRIPTIONS = `
  SELECT 'subscription ' || pg_catalog.quote_ident(s.subname) || E'\\t' || 'owner ' || ${role('s.subowner')}
         || CASE WHEN s.subenabled THEN ', enabled' ELSE ', disabled' END || ', to '
         || (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(p), ', ' ORDER BY p COLLATE "C") FROM pg_catalog.unnest(s.subpublications) AS p)
         || coalesce(', slot ' || pg_catalog.quote_ident(s.subslotname), '')
  FROM pg_catalog.pg_subscription AS s
  WHERE s.subdbid = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE ${THIS_DATABASE})`;

const EVENT_TRIGGERS = `
  SELECT 'event trigger ' || pg_catalog.quote_ident(e.evtname) || E'\\t' || 'owner ' || ${role('e.evtowner')} || ', on ' || e.evtevent
         || coalesce(' of ' || (SELECT pg_catalog.string_agg(t, ', ' ORDER BY t COLLATE "C") FROM pg_catalog.unnest(e.evttags) AS t), '')
         || ' execute ' || e.evtfoid::regprocedure::text || ${ENABLED('e.evtenabled')}
  FROM pg_catalog.pg_event_trigger AS e WHERE ${own('pg_event_trigger', 'e.oid')}`;

export const ATTACHED_LINES: readonly Kind[] = [
  { in: 'pg_catalog.pg_trigger WHERE NOT tgisinternal OR tgparentid <> 0', lines: TRIGGERS },
  { in: `pg_catalog.pg_rewrite WHERE oid >= ${FIRST_OID} AND rulename <> '_RETURN'`, lines: RULES },
  { in: 'pg_catalog.pg_policy', lines: POLICIES },
  { in: 'pg_catalog.pg_statistic_ext', lines: STATISTICS },
  { in: 'pg_catalog.pg_publication', lines: PUBLICATIONS },
  { in: 'pg_catalog.pg_subscription', lines: SUBSCRIPTIONS },
  { in: 'pg_catalog.pg_event_trigger', lines: EVENT_TRIGGERS },
];
