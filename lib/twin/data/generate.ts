// Fills a database at revision 005 with realistic rows, by COPY.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { TableData, Value } from './table-data.ts';
import { codebaseMcpTables, type DataSize } from './tables.ts';

/** Called now and then with the number of rows so far and of all rows. */
export type DataProgress = (done: number, total: number) => void;

const ROWS_A_CHUNK = 200;

/** Copies the rows of all thirteen tables in; see {@link copyTables}. */
export async function generateData(
  client: pg.Client,
  size: DataSize,
  progress?: DataProgress,
): Promise<Record<string, number>> {
  return copyTables(client, codebaseMcpTables(size), progress);
}

/**
 * Copies the tables in, and lets the server gather its statistics. Memory does not grow with the size.
 *
 * @returns table → rows, as the server counted them
 */
export async function copyTables(
  client: pg.Client,
  tables: readonly TableData[],
  progress: DataProgress = () => {},
): Promise<Record<string, number>> {
  const total = tables.reduce((sum, { count }) => sum + count, 0);
  const rows: Record<string, number> = {};
  let done = 0;
  for (const table of tables) {
    rows[table.table] = await copyTable(client, table, (copied) => {
      done += copied;
      progress(done, total);
    });
  }
  await client.query(`ANALYZE ${tables.map(({ table }) => `public.${table}`).join(', ')}`);
  return rows;
}

async function copyTable(
  client: pg.Client,
  table: TableData,
  copied: (rows: number) => void,
): Promise<number> {
  const into = client.query(copyFrom(`COPY public.${table.table} (${table.columns.join(', ')}) FROM STDIN`));
  await pipeline(Readable.from(copyText(table, copied)), into);
  return into.rowCount;
}

function* copyText(table: TableData, copied: (rows: number) => void): Generator<string> {
  for (let start = 0; start < table.count; start += ROWS_A_CHUNK) {
    const rows = Math.min(ROWS_A_CHUNK, table.count - start);
    let text = '';
    for (let index = start; index < start + rows; index++)
      text += `${table.row(index).map(copyValue).join('\t')}\n`;
    yield text;
    copied(rows);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** A value in COPY's text format. */
function copyValue(value: Value): string {
  return value === null
    ? '\\N'
    : String(value).replace(/[\\\t\n\r]/g, (character) => ESCAPES[character] ?? character);
}
