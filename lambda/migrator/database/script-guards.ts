// The guards of a script against objects of others: the queries of an online run, in statements that raise what they find.
import pg from 'pg';
import type { Chain } from '../revisions/chain.ts';
import { functionNamesIn } from '../revisions/effects.ts';
import type { Part } from '../revisions/part.ts';
import { mergePaths, openSchemas } from '../revisions/search-path.ts';
import { faultsOf, ownObjects } from './ours.ts';
import { strangersIn } from './strangers.ts';

/** Paragraphs of a script that refuse, as an online run does, objects of others that would run in place of the right objects. */
export function guardsOf(chain: Chain, parts: readonly Part[]): string[] {
  const { known, schemas } = ownObjects({ chain });
  const made = functionNamesIn(parts.map(({ script }) => script));
  const open = openSchemas(mergePaths(parts.map(({ script }) => script.searchPath)));
  return [
    `-- Objects by the names of Backstop's own must be its own: a trigger or a view of others would run as you.
${refuseFirst(faultsOf(textArray(known), textArray(schemas)), "pg_catalog.format('The %s %s', refusal.object, refusal.fault)")}`,
    ...(open.length === 0
      ? []
      : [
          `-- The search path must hold no function, operator, type or cast of others that a step could call by mistake.
${refuseFirst(strangersIn(textArray(known), textArray(open), textArray(made)), "pg_catalog.format('The search path leads to an object of others: %s of %I', refusal.object, refusal.owner)")}`,
        ]),
  ];
}

/** Raises the first row that the query finds; `message` is an expression over it. */
function refuseFirst(query: string, message: string): string {
  return `DO $do$
DECLARE
  refusal record;
BEGIN
  SELECT * INTO refusal FROM (${query.trimEnd()}
  ) AS refusals LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = ${message}, HINT = refusal.remedy;
  END IF;
END
$do$;`;
}

function textArray(names: readonly string[]): string {
  return `ARRAY[${names.map((name) => pg.escapeLiteral(name)).join(', ')}]::pg_catalog.text[]`;
}
