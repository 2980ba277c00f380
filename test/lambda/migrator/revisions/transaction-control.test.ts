// Statements that would end a run's transaction are found in a revision's text, without false alarms.
import { findTransactionControl } from '../../../../lambda/migrator/revisions/transaction-control.ts';

test.each([
  ['COMMIT;', 'COMMIT'],
  ['SELECT 1; commit;', 'COMMIT'],
  ['CREATE TABLE one ();\nEND;', 'END'],
  ['rollback', 'ROLLBACK'],
  ['ABORT;', 'ABORT'],
  ['BEGIN;\nSELECT 1;', 'BEGIN'],
  ['START  TRANSACTION ISOLATION LEVEL SERIALIZABLE;', 'START TRANSACTION'],
  ["SELECT 'x'; /* now */ Prepare Transaction 'a';", 'PREPARE TRANSACTION'],
  ["SELECT E'it\\'s'; COMMIT;", 'COMMIT'],
])('%j ends it: %s', (sql, statement) => {
  expect(findTransactionControl(sql)).toBe(statement);
});

test.each([
  "DO $do$ BEGIN RAISE NOTICE 'x'; END $do$;",
  'DO $$ BEGIN BEGIN PERFORM 1; EXCEPTION WHEN others THEN NULL; END; END $$;',
  '-- COMMIT;\nSELECT 1;',
  '/* ; COMMIT; */ SELECT 1;',
  "SELECT '; COMMIT;';",
  'SELECT 1 AS "; COMMIT;";',
  'SELECT CASE WHEN true THEN 1 END;',
  'SAVEPOINT here; ROLLBACK TO here;',
  'SAVEPOINT here; ROLLBACK TO SAVEPOINT here; RELEASE here;',
  'CREATE FUNCTION one() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END;',
  'ALTER TABLE endings ADD COLUMN "begin" int; COMMENT ON TABLE endings IS $x$; COMMIT;$x$;',
])('%j does not', (sql) => {
  expect(findTransactionControl(sql)).toBeUndefined();
});
