// Rows for tables of any shape: the catalog describes the columns, and the server generates the values.
import { type Client, escapeIdentifier, escapeLiteral } from 'pg';

interface ColumnName {
  readonly table: string;
  readonly column: string;
}

interface Column extends ColumnName {
  /** The server's own name, e.g. `int4`; that of an array begins with an underscore. */
  readonly type: string;
  /** The length of a varchar, in characters. */
  readonly size: number | null;
  readonly required: boolean;
  /** SQL of the default. */
  readonly preset: string | null;
  /** Whether a primary key or another unique index has it. */
  readonly unique: boolean;
  /** The column that a foreign key of this one leads to. */
  readonly target: ColumnName | null;
}

const COLUMNS = `
  SELECT relname AS "table", attname AS "column", typname AS type, attnotnull AS required,
         CASE WHEN typname = 'varchar' AND atttypmod > 0 THEN atttypmod - 4 END AS size,
         pg_get_expr(adbin, adrelid) AS preset,
         EXISTS (SELECT FROM pg_index
                 WHERE indrelid = attrelid AND indisunique AND attnum = ANY (indkey)) AS "unique",
         (SELECT jsonb_build_object('table', referred.relname, 'column', other.attname)
          FROM pg_constraint
          CROSS JOIN unnest(conkey, confkey) AS pair (own, other)
          JOIN pg_class AS referred ON referred.oid = confrelid
          JOIN pg_attribute AS other ON other.attrelid = confrelid AND other.attnum = pair.other
          WHERE conrelid = own.attrelid AND contype = 'f' AND pair.own = own.attnum
          LIMIT 1) AS target
  FROM pg_class
  JOIN pg_attribute AS own ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
  JOIN pg_type ON pg_type.oid = atttypid
  LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
  WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
  ORDER BY relname, attnum`;

/**
 * Fills every table in `public`; they must be empty. The same seed makes the same rows.
 *
 * @param rows of each table
 * @throws Error for a column of an unsupported type
 */
export async function insertRows(client: Client, seed: number, rows: number): Promise<void> {
  const { rows: columns } = await client.query<Column>(COLUMNS);
  const tables = [...Map.groupBy(columns, ({ table }) => escapeIdentifier(table))];
  if (tables.length === 0) return;
  const inserts = tables.map(([table, all]) => {
    const given = all.filter(isGiven);
    const names = given.map(({ column }) => escapeIdentifier(column)).join(', ');
    const values = given.map((column) => cellOf(column, columns, seed)).join(', ');
    return `${table} AS (INSERT INTO public.${table} (${names}) SELECT ${values} FROM generate_series(1, ${rows}) AS i)`;
  });
  // One statement: foreign keys are asked at its end, so the order of the tables does not matter.
  await client.query(`WITH ${inserts.join(', ')} SELECT`);
  await client.query(`ANALYZE ${tables.map(([table]) => `public.${table}`).join(', ')}`);
}

/** A default that calls no function is kept: a CHECK allows this value. */
function isGiven({ preset, unique, target }: Column): boolean {
  return preset === null || unique || target !== null || /\w\(/.test(preset);
}

/** SQL of the value in a column of row `i`. Nullable columns are NULL in every third row; unique columns identify a row. */
function cellOf(column: Column, columns: readonly Column[], seed: number): string {
  const value = madeUp(sourceOf(column, columns), seed);
  return column.required || column.unique ? value : `CASE WHEN i % 3 > 0 THEN ${value} END`;
}

/** Row `i` refers to row `i`, which is there in every table, and is as unique as that row. */
function sourceOf(column: Column, columns: readonly Column[]): Column {
  const { target } = column;
  const source = columns.find((other) => other.table === target?.table && other.column === target.column);
  return source ? sourceOf(source, columns) : column;
}

/** A value that no other row has, as far as the type has so many. */
function madeUp({ table, column, type, size }: Column, seed: number): string {
  const hash = `md5(${escapeLiteral(`${seed} ${table} ${column} `)} || i)`;
  const text = `i || ${escapeLiteral(` ${column} `)} || ${hash}`;
  const values: Readonly<Record<string, string>> = {
    uuid: `${hash}::uuid`,
    text,
    varchar: size === null ? text : `left(${text}, ${size})`,
    bool: 'i % 2 = 0',
    int4: 'i',
    int8: 'i',
    float8: 'i / 8.0',
    numeric: 'i / 8.0',
    jsonb: `jsonb_build_object('row', i)`,
    timestamptz: `timestamptz '2025-01-01 00:00Z' + i * interval '1 hour'`,
  };
  const value = values[type.replace(/^_/, '')];
  if (value === undefined)
    throw new Error(`No value is known for ${table}.${column}, which is of type ${type}`);
  return type.startsWith('_') ? `ARRAY[${value}]` : value;
}
