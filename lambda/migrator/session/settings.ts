// How to connect to a database.

/** The address of a database, and the client's credentials. Never printed, never part of an execution's state. */
export interface ConnectionSettings {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Without one, PGPASSWORD counts, or the line of ~/.pgpass. */
  readonly password: string | undefined;
  readonly tls: TlsSettings;
  /** Settings of the session as libpq's `options` has them, such as `-c role=app_owner`. Default: none. */
  readonly options?: string | undefined;
  /** For one attempt to connect, in ms; 0 waits without end. Default: 10,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** The server must be no standby. Default: any server. */
  readonly server?: 'primary' | undefined;
  /** Whether the server must prove by the password that the TLS connection ends there. Default: false. */
  readonly channelBinding?: boolean | undefined;
}

/**
 * `verify-full`: the certificate and the host name must be right. `ca` is PEM; without it the certificate authorities of the
 * Node process count. `off` is for servers on this machine, and for networks that the user trusts.
 */
export type TlsSettings =
  | { readonly mode: 'verify-full'; readonly ca?: string | undefined }
  | { readonly mode: 'off' };
