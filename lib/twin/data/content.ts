// Chooses the data for a database: realistic rows for codebase_mcp, rows made from the catalog for any other.
import type { Client } from 'pg';
import { CODEBASE_MCP } from '../databases.ts';
import { type DataProgress, generateData } from './generate.ts';
import { insertRows } from './rows.ts';
import type { DataSize } from './tables.ts';

const ROWS_A_TABLE = 100;

export interface Content {
  /** How much it is, e.g. `100 rows a table`. */
  readonly description: string;
  /** Writes it into the tables, which are empty. */
  insert(client: Client, progress: DataProgress): Promise<unknown>;
}

/** @param size of codebase_mcp; any other database takes no more of it than the seed */
export function contentOf(database: string, size: DataSize): Content {
  const { repositories, chunksPerRepository, seed } = size;
  return database === CODEBASE_MCP
    ? {
        description: `${repositories} repositories, ${repositories * chunksPerRepository} chunks`,
        insert: (client, progress) => generateData(client, size, progress),
      }
    : {
        description: `${ROWS_A_TABLE} rows a table`,
        insert: (client) => insertRows(client, seed, ROWS_A_TABLE),
      };
}
