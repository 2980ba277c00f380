// Parts of the statements that make tables again, and the functions for them; as SQL.
import { PLPGSQL } from './shared.ts';

/** Options as a statement writes them; empty without any. */
export const optionsOf = (list: string) =>
  `(SELECT string_agg(format('%s=%L', o.option_name, o.option_value), ', ') FROM pg_options_to_table(${list}) AS o)`;

/** The options of the sequence `q`, of pg_sequence. */
export const SEQUENCE = `format('INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s%s', q.seqincrement, q.seqmin, q.seqmax,
    q.seqstart, q.seqcache, CASE WHEN q.seqcycle THEN ' CYCLE' END)`;

/** The statement that makes a policy again. */
export const POLICY = `CREATE FUNCTION backstop.retiring_policy(policy oid) RETURNS text
LANGUAGE sql SECURITY INVOKER SET search_path TO pg_catalog, pg_temp AS $fn$
  SELECT concat(format('CREATE POLICY %I ON %s', p.polname, p.polrelid::regclass), CASE WHEN NOT p.polpermissive THEN ' AS RESTRICTIVE' END,
    ' FOR ', CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
    ' TO ', (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', ' ORDER BY r) FROM unnest(p.polroles) AS r),
    ' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', ' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
  FROM pg_policy AS p WHERE p.oid = $1
$fn$`;

/** The statement that publishes a table again. From PostgreSQL 15 on, a publication can leave out columns and rows. */
export const PUBLICATION = `CREATE FUNCTION backstop.retiring_publication(published oid) RETURNS text
LANGUAGE sql SECURITY INVOKER SET search_path TO pg_catalog, pg_temp AS $fn$
  SELECT concat(format('ALTER PUBLICATION %I ADD TABLE ONLY %s', p.pubname, r.prrelid::regclass),
    (SELECT format(' (%s)', string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum))
     FROM jsonb_array_elements_text(CASE jsonb_typeof(to_jsonb(r) -> 'prattrs') WHEN 'array' THEN to_jsonb(r) -> 'prattrs' END) AS listed (number)
     JOIN pg_attribute AS a ON a.attrelid = r.prrelid AND a.attnum = listed.number::smallint HAVING count(*) > 0),
    (SELECT format(' WHERE (%s)', to_jsonb(w) ->> 'rowfilter') FROM pg_publication_tables AS w
     WHERE w.pubname = p.pubname AND format('%I.%I', w.schemaname, w.tablename) = r.prrelid::regclass::text AND to_jsonb(w) ->> 'rowfilter' IS NOT NULL))
  FROM pg_publication_rel AS r JOIN pg_publication AS p ON p.oid = r.prpubid
  WHERE r.oid = $1
$fn$`;

/** Takes from an object all privileges that it was made with, and grants those of the list. */
export const GRANT = `CREATE FUNCTION backstop.retiring_grant(class text, name text, acl aclitem[]) RETURNS void ${PLPGSQL} AS $fn$
DECLARE
  action text;
BEGIN
  FOR action IN
    SELECT pg_catalog.format('REVOKE ALL ON %s %s FROM %s', class, name, w.grantee)
    FROM (SELECT DISTINCT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END AS grantee
          FROM (SELECT c.relacl AS acl, c.relowner AS owner FROM pg_catalog.pg_class AS c
                WHERE class IN ('TABLE', 'SEQUENCE') AND c.oid = pg_catalog.to_regclass(name)
                UNION ALL
                SELECT p.proacl, p.proowner FROM pg_catalog.pg_proc AS p
                WHERE class = 'ROUTINE' AND p.oid = pg_catalog.to_regprocedure(name)) AS made,
               pg_catalog.aclexplode(coalesce(made.acl, pg_catalog.acldefault(
                 CASE class WHEN 'TABLE' THEN 'r' WHEN 'SEQUENCE' THEN 's' ELSE 'f' END::"char", made.owner))) AS g) AS w
    UNION ALL
    SELECT pg_catalog.format('GRANT %s ON %s %s TO %s%s', g.privilege_type, class, name,
             CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END,
             CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' END)
    FROM pg_catalog.aclexplode(acl) AS g
  LOOP
    EXECUTE action;
  END LOOP;
END $fn$`;
