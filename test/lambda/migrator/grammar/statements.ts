// Statements of every kind that locks tables, and the tables that they run on: the server tells what each really does.

/** Some of everything that a statement may name. */
export const FIXTURE = `
  CREATE SCHEMA other;
  CREATE TYPE public.pair AS (a integer, b integer);
  CREATE DOMAIN public.amount AS integer;
  CREATE DOMAIN public.positive AS integer DEFAULT 1 CHECK (VALUE > 0);
  CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE FUNCTION public.steady() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
  CREATE FUNCTION public.fickle() RETURNS integer LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN 1; END';
  CREATE TABLE public.customers (id integer PRIMARY KEY, name varchar(20), code char(5), rate numeric(8, 2),
    worth amount, seen timestamp, note text, CONSTRAINT named CHECK (name IS NOT NULL), UNIQUE (name));
  CREATE TABLE public.orders (id bigint PRIMARY KEY, customer_id integer CONSTRAINT orders_customer REFERENCES customers,
    customer integer, total integer, state text DEFAULT 'new');
  ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0) NOT VALID;
  ALTER TABLE orders ADD CONSTRAINT customer_known FOREIGN KEY (customer) REFERENCES customers NOT VALID;
  CREATE INDEX orders_total ON orders (total);
  CREATE TRIGGER orders_touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
  CREATE RULE orders_quiet AS ON DELETE TO orders WHERE false DO INSTEAD NOTHING;
  CREATE POLICY orders_all ON orders USING (true);
  CREATE VIEW public.open_orders AS SELECT id, state FROM orders WHERE state = 'new';
  CREATE MATERIALIZED VIEW public.totals AS SELECT customer_id, count(*) AS number FROM orders GROUP BY 1;
  CREATE UNIQUE INDEX totals_customer ON totals (customer_id);
  CREATE SEQUENCE public.numbers;
  CREATE TABLE public."Odd one" ("A b" integer);
  CREATE TABLE public.plain (id integer, number integer DEFAULT nextval('numbers'), word text);
  CREATE UNIQUE INDEX plain_id ON plain (id);
  CREATE STATISTICS public.plain_stats ON id, number FROM plain;
  CREATE TABLE public.old_log (id integer, at date);
  CREATE TABLE public.parent (id integer, at date);
  CREATE TABLE public.child (more text) INHERITS (parent);
  CREATE TABLE public.parted (id integer, at date) PARTITION BY RANGE (id);
  CREATE TABLE public.parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
  CREATE TABLE public.parted_2 PARTITION OF parted FOR VALUES FROM (100) TO (200);
  CREATE TABLE public.parted_rest PARTITION OF parted DEFAULT;
  CREATE TABLE public.parted_3 (id integer, at date);
  CREATE UNLOGGED TABLE public.scratch (id integer);
  CREATE TABLE other.orders (id integer);
  INSERT INTO customers SELECT n, 'name ' || n, 'code', n, n, now(), 'x' FROM generate_series(1, 50) AS n;
  INSERT INTO orders SELECT n, n, n, n FROM generate_series(1, 50) AS n;
  INSERT INTO plain SELECT n, n, 'x' FROM generate_series(1, 50) AS n;
  INSERT INTO parent SELECT n FROM generate_series(1, 50) AS n;
  INSERT INTO child SELECT n FROM generate_series(1, 50) AS n;
  INSERT INTO parted SELECT n, now() FROM generate_series(1, 150) AS n;
  INSERT INTO parted_3 SELECT n, now() FROM generate_series(200, 250) AS n;
  REFRESH MATERIALIZED VIEW totals;
`;

/** One statement an entry, or some that run one after another; `18:` in front: from that version on. */
export const STATEMENTS: readonly string[] = [
  // ALTER TABLE, one subcommand after another
  'ALTER TABLE orders ADD COLUMN extra text',
  "ALTER TABLE orders ADD COLUMN extra text NOT NULL DEFAULT 'x'",
  'ALTER TABLE orders ADD COLUMN extra timestamptz DEFAULT now()',
  'ALTER TABLE orders ADD COLUMN extra uuid DEFAULT gen_random_uuid()',
  'ALTER TABLE orders ADD COLUMN extra integer DEFAULT steady()',
  'ALTER TABLE orders ADD COLUMN extra integer DEFAULT fickle()',
  'ALTER TABLE orders ADD COLUMN extra serial',
  'ALTER TABLE orders ADD COLUMN extra bigserial NOT NULL',
  'ALTER TABLE orders ADD COLUMN extra integer GENERATED ALWAYS AS IDENTITY',
  'ALTER TABLE orders ADD COLUMN extra integer GENERATED ALWAYS AS (total + 1) STORED',
  '18: ALTER TABLE orders ADD COLUMN extra integer GENERATED ALWAYS AS (total + 1) VIRTUAL',
  'ALTER TABLE orders ADD COLUMN extra amount',
  'ALTER TABLE orders ADD COLUMN extra positive',
  'ALTER TABLE orders ADD COLUMN extra integer CHECK (extra > 0)',
  'ALTER TABLE orders ADD COLUMN extra integer DEFAULT 1 CHECK (extra > 0)',
  'ALTER TABLE orders ADD COLUMN extra integer UNIQUE',
  'ALTER TABLE orders ADD COLUMN extra integer REFERENCES customers',
  'ALTER TABLE orders ADD COLUMN IF NOT EXISTS total integer',
  'ALTER TABLE orders DROP COLUMN total CASCADE',
  'ALTER TABLE orders DROP COLUMN state CASCADE',
  'ALTER TABLE orders DROP COLUMN customer_id CASCADE',
  'ALTER TABLE customers DROP COLUMN id CASCADE',
  'ALTER TABLE orders ALTER state SET DEFAULT 1',
  'ALTER TABLE orders ALTER state DROP DEFAULT',
  'ALTER TABLE orders ALTER total SET NOT NULL',
  'ALTER TABLE customers ALTER name SET NOT NULL',
  'ALTER TABLE customers ALTER id SET NOT NULL',
  'ALTER TABLE orders ALTER id DROP IDENTITY IF EXISTS',
  'ALTER TABLE customers ALTER name DROP NOT NULL',
  'ALTER TABLE orders ALTER total SET STATISTICS 200',
  'ALTER TABLE orders ALTER state SET STORAGE EXTERNAL',
  'ALTER TABLE orders ALTER state SET COMPRESSION pglz',
  'ALTER TABLE orders ALTER total SET (n_distinct = 5)',
  'ALTER TABLE customers ALTER name TYPE varchar(40)',
  'ALTER TABLE customers ALTER name TYPE varchar',
  'ALTER TABLE customers ALTER name TYPE text',
  'ALTER TABLE customers ALTER name TYPE varchar(10)',
  'ALTER TABLE customers ALTER name TYPE text USING upper(name)',
  'ALTER TABLE customers ALTER note TYPE varchar',
  'ALTER TABLE customers ALTER note TYPE varchar(50)',
  'ALTER TABLE customers ALTER code TYPE char(10)',
  'ALTER TABLE customers ALTER code TYPE text',
  'ALTER TABLE customers ALTER rate TYPE numeric(10, 2)',
  'ALTER TABLE customers ALTER rate TYPE numeric',
  'ALTER TABLE customers ALTER rate TYPE numeric(10, 3)',
  'ALTER TABLE customers ALTER seen TYPE timestamptz',
  'ALTER TABLE customers ALTER worth TYPE integer',
  'ALTER TABLE customers ALTER worth TYPE positive',
  'ALTER TABLE customers ALTER id TYPE bigint',
  'ALTER TABLE orders ALTER total TYPE bigint',
  "ALTER TABLE orders ADD CONSTRAINT c CHECK (total > 0 AND state IN ('new', 'old'))",
  'ALTER TABLE orders ADD CONSTRAINT c CHECK (total > 0) NOT VALID',
  'ALTER TABLE orders VALIDATE CONSTRAINT total_positive',
  'ALTER TABLE orders VALIDATE CONSTRAINT customer_known',
  'ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES customers (id)',
  'ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES customers NOT VALID',
  '18: ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES customers NOT ENFORCED',
  'ALTER TABLE plain ADD PRIMARY KEY (id)',
  'ALTER TABLE plain ADD UNIQUE (id, word)',
  'ALTER TABLE plain ADD UNIQUE USING INDEX plain_id',
  'ALTER TABLE plain ADD PRIMARY KEY USING INDEX plain_id',
  'ALTER TABLE plain ADD EXCLUDE USING btree (id WITH =)',
  '18: ALTER TABLE plain ADD CONSTRAINT n NOT NULL word',
  '18: ALTER TABLE plain ADD CONSTRAINT n NOT NULL word NOT VALID',
  'ALTER TABLE orders DROP CONSTRAINT orders_customer',
  'ALTER TABLE customers DROP CONSTRAINT customers_pkey CASCADE',
  'ALTER TABLE orders DROP CONSTRAINT total_positive',
  'ALTER TABLE orders ALTER CONSTRAINT orders_customer DEFERRABLE',
  'ALTER TABLE orders DISABLE TRIGGER orders_touch',
  'ALTER TABLE orders ENABLE TRIGGER USER',
  'ALTER TABLE orders DISABLE RULE orders_quiet',
  'ALTER TABLE orders ENABLE ROW LEVEL SECURITY',
  'ALTER TABLE orders FORCE ROW LEVEL SECURITY',
  'ALTER TABLE orders SET (fillfactor = 70)',
  'ALTER TABLE orders SET (autovacuum_enabled = false, user_catalog_table = true)',
  'ALTER TABLE orders RESET (fillfactor)',
  'ALTER TABLE orders SET UNLOGGED',
  'ALTER TABLE plain SET UNLOGGED',
  'ALTER TABLE plain SET LOGGED',
  'ALTER TABLE scratch SET LOGGED',
  'ALTER TABLE orders CLUSTER ON orders_total',
  'ALTER TABLE orders SET WITHOUT CLUSTER',
  'ALTER TABLE orders REPLICA IDENTITY FULL',
  'ALTER TABLE orders OWNER TO CURRENT_USER',
  'ALTER TABLE orders ADD COLUMN a integer, ALTER total TYPE bigint, ADD CHECK (total > 0)',
  'ALTER TABLE "Odd one" ALTER "A b" TYPE bigint',
  'ALTER TABLE IF EXISTS nowhere ADD COLUMN a integer',
  // Trees
  'ALTER TABLE parent ADD COLUMN extra integer',
  'ALTER TABLE parent ALTER id TYPE bigint',
  'ALTER TABLE parent ALTER id SET NOT NULL',
  'ALTER TABLE ONLY parent ALTER id SET DEFAULT 1',
  'ALTER TABLE parent ADD CHECK (id > 0)',
  'ALTER TABLE parted_3 INHERIT parent; ALTER TABLE parted_3 NO INHERIT parent',
  'ALTER TABLE child NO INHERIT parent',
  'ALTER TABLE parted ADD COLUMN extra integer',
  'ALTER TABLE parted ALTER at TYPE timestamptz',
  'ALTER TABLE parted ALTER at SET NOT NULL',
  'ALTER TABLE parted ADD PRIMARY KEY (id)',
  'ALTER TABLE parted ATTACH PARTITION parted_3 FOR VALUES FROM (200) TO (300)',
  'ALTER TABLE parted DETACH PARTITION parted_2',
  'CREATE TABLE parted_4 PARTITION OF parted FOR VALUES FROM (400) TO (500)',
  'CREATE TABLE heir () INHERITS (parent)',
  'CREATE INDEX ON parted (at)',
  'CREATE INDEX ON ONLY parted (at)',
  'DROP TABLE parted_1',
  'DROP TABLE parted',
  'DROP TABLE child',
  'DROP TABLE parent CASCADE',
  'TRUNCATE parted',
  'UPDATE parted SET at = now()',
  // Indexes
  'CREATE INDEX ON orders (total, lower(state)) WHERE total > 3',
  'CREATE UNIQUE INDEX i ON plain (word, id)',
  'CREATE INDEX IF NOT EXISTS orders_total ON orders (total)',
  'CREATE INDEX i ON orders (state); DROP INDEX i',
  'DROP INDEX orders_total',
  'DROP INDEX IF EXISTS nothing_total',
  'ALTER INDEX orders_total RENAME TO orders_sum',
  'ALTER INDEX orders_total SET (fillfactor = 60)',
  'ALTER INDEX orders_total RENAME TO orders_sum; DROP INDEX orders_sum',
  'REINDEX TABLE orders',
  'REINDEX INDEX orders_total',
  'CLUSTER orders USING orders_total',
  // Names
  'ALTER TABLE orders RENAME TO sales',
  'ALTER TABLE orders RENAME TO sales; ALTER TABLE sales ADD COLUMN x integer; DROP TABLE sales CASCADE',
  'ALTER TABLE orders RENAME COLUMN total TO sum',
  'ALTER TABLE parent RENAME COLUMN id TO number',
  'ALTER TABLE orders RENAME CONSTRAINT total_positive TO positive',
  'ALTER TABLE plain SET SCHEMA other',
  'ALTER TABLE plain SET SCHEMA other; ALTER TABLE other.plain ALTER id TYPE bigint',
  'ALTER VIEW open_orders RENAME TO new_orders',
  'ALTER TRIGGER orders_touch ON orders RENAME TO touched',
  'ALTER POLICY orders_all ON orders RENAME TO everyone',
  'SET LOCAL search_path = other; ALTER TABLE orders ADD COLUMN a integer',
  "SELECT pg_catalog.set_config('search_path', '', true); ALTER TABLE public.orders ADD COLUMN a integer",
  "SELECT set_config('search_path', 'other, public', true); ALTER TABLE orders ALTER id TYPE bigint",
  // Drops and what hangs on them
  'DROP TABLE orders CASCADE',
  'DROP TABLE customers CASCADE',
  'DROP TABLE plain, old_log',
  'DROP TABLE IF EXISTS nowhere, old_log',
  'DROP VIEW open_orders',
  'DROP MATERIALIZED VIEW totals',
  'DROP SCHEMA other CASCADE',
  'DROP TYPE amount CASCADE',
  'DROP DOMAIN amount CASCADE',
  'DROP SEQUENCE numbers CASCADE',
  'DROP FUNCTION touch() CASCADE',
  'DROP TRIGGER orders_touch ON orders',
  'DROP RULE orders_quiet ON orders',
  'DROP POLICY orders_all ON orders',
  'DROP STATISTICS plain_stats',
  'TRUNCATE old_log',
  'TRUNCATE customers CASCADE',
  // Things on tables
  'CREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION touch()',
  'CREATE OR REPLACE RULE orders_quiet AS ON DELETE TO orders WHERE false DO INSTEAD NOTHING',
  'CREATE POLICY p ON orders USING (true)',
  'ALTER POLICY orders_all ON orders USING (false)',
  'CREATE STATISTICS s ON id, word FROM plain',
  "COMMENT ON TABLE orders IS 'x'",
  "COMMENT ON COLUMN orders.total IS 'x'",
  "COMMENT ON CONSTRAINT total_positive ON orders IS 'x'",
  "COMMENT ON INDEX orders_total IS 'x'",
  "COMMENT ON TRIGGER orders_touch ON orders IS 'x'",
  "COMMENT ON VIEW open_orders IS 'x'",
  'GRANT SELECT ON orders TO PUBLIC',
  'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC',
  'ALTER DOMAIN amount ADD CHECK (VALUE > 0)',
  'ALTER DOMAIN amount ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID; ALTER DOMAIN amount VALIDATE CONSTRAINT c',
  'ALTER DOMAIN amount SET NOT NULL',
  'ALTER DOMAIN amount SET DEFAULT 3',
  'ANALYZE orders',
  'LOCK TABLE orders IN SHARE MODE',
  'LOCK TABLE ONLY parent IN EXCLUSIVE MODE',
  'LOCK parent',
  'LOCK open_orders IN ROW SHARE MODE',
  'ALTER SEQUENCE numbers RESTART WITH 5',
  'CREATE SEQUENCE more OWNED BY plain.number',
  // Tables and views from others
  'CREATE TABLE fresh (id integer); CREATE INDEX ON fresh (id); ALTER TABLE fresh ADD a text; DROP TABLE fresh',
  'CREATE TABLE fresh (id integer REFERENCES customers, other bigint, FOREIGN KEY (other) REFERENCES orders)',
  'CREATE TABLE fresh (LIKE orders INCLUDING ALL)',
  'CREATE TABLE IF NOT EXISTS plain (a integer); ALTER TABLE plain ADD extra integer',
  'DROP TABLE old_log; CREATE TABLE old_log (id bigint); CREATE INDEX ON old_log (id)',
  'CREATE TEMPORARY TABLE plain (id integer); ALTER TABLE plain ADD extra integer',
  'CREATE TABLE copied AS SELECT * FROM orders JOIN customers USING (id)',
  'SELECT * INTO copied FROM orders',
  'CREATE VIEW seen AS SELECT * FROM orders',
  'CREATE OR REPLACE VIEW open_orders AS SELECT id, state FROM orders',
  'CREATE MATERIALIZED VIEW more AS SELECT * FROM customers',
  'REFRESH MATERIALIZED VIEW totals',
  'REFRESH MATERIALIZED VIEW CONCURRENTLY totals',
  // Rows
  'INSERT INTO old_log SELECT id FROM orders',
  'INSERT INTO customers (id, name) VALUES (1, 1) ON CONFLICT DO NOTHING',
  'UPDATE orders SET total = c.id FROM customers AS c WHERE c.id = orders.customer_id',
  'DELETE FROM old_log USING customers WHERE old_log.id = customers.id',
  '15: MERGE INTO old_log USING orders ON old_log.id = orders.id WHEN MATCHED THEN DELETE',
  'WITH gone AS (DELETE FROM old_log RETURNING id) INSERT INTO plain SELECT id FROM gone',
  'SELECT * FROM orders AS o JOIN customers AS c ON true FOR UPDATE OF o',
  'SELECT (SELECT count(*) FROM customers) FROM orders FOR SHARE',
  'WITH orders AS (SELECT 1) SELECT * FROM orders',
  'DECLARE c CURSOR FOR SELECT * FROM customers',
  'EXPLAIN ANALYZE DELETE FROM old_log',
  'CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM orders; END',
  "DO 'BEGIN END'",
  'SELECT 1',
];
