// A PostgreSQL server for the local twin, which either starts the server itself or is given one.

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
  /** An empty database, or a copy of `template`, which must have no sessions. */
  createDatabase(name: string, template?: string): Promise<void>;
  /** A role that may log in and nothing else; it goes with `stop()`. */
  createRole(name: string): Promise<Credentials>;
  /** Ends the sessions of the database, then drops it. */
  dropDatabase(name: string): Promise<void>;
  /**
   * Takes a backup from which `database` can be brought back as it was when this promise resolves.
   * @param progress gets the bytes that are done, and the total.
   */
  takeSnapshot(database: string, progress?: Progress): Promise<LocalSnapshot>;
  /** Ends the server, or drops the objects made on a given one, and removes every trace, snapshots included. */
  stop(): Promise<void>;
}

export type Progress = (done: number, total: number) => void;

/** A backup; it lives no longer than the server it was taken of. */
export interface LocalSnapshot {
  /** Restores the database beside the original, once for each call; `stop()` ends that copy alone. */
  restore(): Promise<RestoredServer>;
  delete(): Promise<void>;
}

export interface RestoredServer extends LocalServer {
  /** The name of the snapshot's database on this server. */
  readonly database: string;
}
