// The content of the local AWS account: database instances and clusters, their snapshots, tags and secrets.
import type { LocalServer, LocalSnapshot } from '../server.ts';
import type { Surroundings } from './surroundings.ts';

/** The account and region of everything local, as AWS's own examples write them. */
export const ACCOUNT = '111122223333';
export const REGION = 'eu-central-1';

export interface LocalInstance {
  readonly kind: 'instance' | 'cluster';
  /** Missing only while the instance is being restored. */
  readonly server?: LocalServer | undefined;
  readonly database: string;
  /** RDS's own words: `available`, `backing-up`, `creating`, `stopped`, `failed` … */
  status: string;
  /** A cluster is of Aurora, with one instance, or a Multi-AZ cluster of RDS for PostgreSQL, with three. @default false */
  readonly isMultiAz?: boolean;
  /** The source of a read replica: its identifier, or its ARN. */
  readonly replicaOf?: string;
  /** The global database that it is a secondary cluster of. */
  readonly secondaryIn?: string;
  /** Further elements of its description, as RDS writes them. */
  readonly elements?: object;
  /** The same of each member instance of a cluster. */
  readonly memberElements?: object;
}

/** How far the answers of RDS lag behind its work, each in a number of requests that do not show it yet. */
export interface Lag {
  /** Requests for a snapshot or for a list, before they show a new snapshot. */
  newSnapshot: number;
  /** Requests for a snapshot or for a list, before they show its tags. */
  tags: number;
  /** Requests for an instance or cluster, before they show its status. */
  status: number;
}

export interface StoredSnapshot {
  readonly kind: 'instance' | 'cluster';
  readonly identifier: string;
  /** Identifier of the instance or cluster it was taken of. */
  readonly source: string;
  readonly database: string;
  readonly engine: string;
  readonly engineVersion: string;
  readonly createdAt: Date;
  /** RDS's own words: `creating`, `available`, `failed`, `copying` … */
  status: string;
  percentProgress: number;
  /** How many requests have looked for it. @default 0 */
  requests?: number;
  /** There once the status is `available`. */
  backup?: LocalSnapshot;
}

export interface StoredSchedule {
  /** `at(…)`, in UTC. */
  readonly expression: string;
  readonly stateMachineArn: string;
  readonly roleArn: string;
  /** The execution input. */
  readonly input: unknown;
}

export interface LocalAccount {
  /**
   * By identifier. The member instances of a cluster, `<identifier>-instance-1` …, need no entries.
   * Entries may be changed and replaced at any time, as in AWS the world changes under a client.
   */
  readonly instances: Map<string, LocalInstance>;
  /** By ARN. */
  readonly snapshots: Map<string, StoredSnapshot>;
  /** Tags by the ARN of their resource. */
  readonly tags: Map<string, Map<string, string>>;
  /** Secret strings by ARN or name. */
  readonly secrets: Map<string, string>;
  /** ARNs of the customer's keys that encrypt secrets, by the ARN of the secret. */
  readonly secretKeys: Map<string, string>;
  /** One-time schedules by group and name, e.g. `group/name`. They never start anything by themselves here. */
  readonly schedules: Map<string, StoredSchedule>;
  /** How many manual snapshots there may be, of instances and of clusters each. */
  snapshotQuota: number;
  readonly lag: Lag;
  /** The statuses at each request for an instance or cluster, by its identifier; the newest is the last. */
  readonly statuses: Map<string, string[]>;
  surroundings: Surroundings;
}

/** An error as AWS answers it. */
export interface AwsFault {
  /** The service's own code, e.g. `Throttling` (RDS), `ThrottlingException` (Secrets Manager). */
  readonly code: string;
  readonly message: string;
  /** Default 400. */
  readonly httpStatus?: number;
}

/** Thrown by an action, to be answered in the form of its protocol. */
export class AwsFaultError extends Error implements AwsFault {
  readonly code: string;
  readonly httpStatus: number;

  constructor({ code, message, httpStatus = 400 }: AwsFault) {
    super(message);
    this.code = code;
    this.httpStatus = httpStatus;
  }
}
