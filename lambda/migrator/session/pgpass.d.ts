// The package `pgpass`, which has no types of its own.
declare module 'pgpass' {
  interface Connection {
    readonly host: string;
    readonly port: number;
    readonly database: string;
    readonly user: string;
  }
  /** Calls back with undefined if no line of the file is for this connection. */
  export default function readPasswordFile(
    connection: Connection,
    callback: (password: string | undefined) => void,
  ): void;
}
