// The objects of others that go with the retired tables of a revision when finalize drops them, named before it runs.

/**
 * A query with a row for each of them, in the column in which a check speaks for itself. The tables of the schema are not named, nor are the parts of a dropped object.
 *
 * @param schema its name, as an expression
 */
export function takenAlong(schema: string): string {
  return `
  WITH RECURSIVE reached (classid, objid, objsubid) AS (
    SELECT 'pg_catalog.pg_namespace'::regclass::oid, n.oid, 0 FROM pg_catalog.pg_namespace AS n WHERE n.nspname = ${schema}
    UNION
    SELECT next.classid, next.objid, next.objsubid
    FROM reached CROSS JOIN LATERAL (
      SELECT d.classid, d.objid, d.objsubid FROM pg_catalog.pg_depend AS d
      WHERE d.refclassid = reached.classid AND d.refobjid = reached.objid
        AND (reached.objsubid = 0 OR d.refobjsubid = reached.objsubid)
      UNION ALL
      -- The object that contains it, such as the view of a rule: the whole is dropped with its part.
      SELECT d.refclassid, d.refobjid, d.refobjsubid FROM pg_catalog.pg_depend AS d
      WHERE d.classid = reached.classid AND d.objid = reached.objid AND d.deptype = 'i') AS next)
  SELECT pg_catalog.concat(CASE k.contype WHEN 'f' THEN 'foreign key' ELSE o.type END, ' ', o.identity) AS message
  FROM reached CROSS JOIN LATERAL pg_catalog.pg_identify_object(reached.classid, reached.objid, reached.objsubid) AS o
  LEFT JOIN pg_catalog.pg_constraint AS k ON reached.classid = 'pg_catalog.pg_constraint'::regclass AND k.oid = reached.objid
  WHERE reached.classid <> 'pg_catalog.pg_namespace'::regclass AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = ${schema}
    WHERE reached.classid = 'pg_catalog.pg_class'::regclass AND c.oid = reached.objid
  ) AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend AS d
    JOIN reached AS owning ON owning.classid = d.refclassid AND owning.objid = d.refobjid AND owning.objsubid IN (0, d.refobjsubid)
    WHERE d.classid = reached.classid AND d.objid = reached.objid AND d.objsubid = reached.objsubid
      AND (d.refclassid = 'pg_catalog.pg_namespace'::regclass OR d.deptype IN ('a', 'i')))
  GROUP BY 1
  ORDER BY pg_catalog.max(o.identity)`;
}
