// What the local twin asks of a PostgreSQL server, whether it started the server itself or was given one.

/** How a session as the administrator is opened. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  /** A role that may create databases and roles. */
  readonly user: string;
  /** If empty, PGPASSWORD or ~/.pgpass has it. */
  readonly password: string;
  /**
   * The server's certificate is verified, host name included. `caFile` is the PEM file of its authority; without it
   * the authorities of the Node process count.
   */
  readonly tls: { readonly caFile?: string | undefined } | 'off';
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export interface LocalServer extends ServerAddress {
  readonly majorVersion: number;
  /** An empty database, or a copy of `template`, which nobody may be connected to. */
  createDatabase(name: string, template?: string): Promise<void>;
  /** A role that may log in and nothing else; it goes with `stop()`. */
  createRole(name: string): Promise<Credentials>;
  /** Ends the sessions of the database, then drops it. */
  dropDatabase(name: string): Promise<void>;
  /**
   * Takes a backup from which `database` can be brought back as it was when this promise resolves.
   * @param progress told how many bytes are done, and of how many.
   */
  takeSnapshot(database: string, progress?: Progress): Promise<LocalSnapshot>;
  /** Ends the server, or what was made on it, and removes every trace, snapshots included. */
  stop(): Promise<void>;
}

export type Progress = (done: number, total: number) => void;

/** A backup; it lives no longer than the server it was taken of. */
export interface LocalSnapshot {
  /** Brings the database back beside the original, as often as it is asked; `stop()` ends that one alone. */
  restore(): Promise<RestoredServer>;
  delete(): Promise<void>;
}

export interface RestoredServer extends LocalServer {
  /** The name under which the snapshot's database stands there. */
  readonly database: string;
}
