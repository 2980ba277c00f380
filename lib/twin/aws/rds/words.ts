// Names in RDS: identifiers, ARNs and faults, for instances and for clusters.
import { ACCOUNT, AwsFaultError, type LocalInstance, REGION } from '../account.ts';

export type Kind = LocalInstance['kind'];
/** As the Query protocol sends them: flat, every value a string. */
export type Parameters = Readonly<Record<string, string>>;

/** The words in which the API for instances differs from the API for clusters. */
export const WORDS = {
  instance: {
    element: 'DBInstance',
    arn: 'db',
    notFound: 'DBInstanceNotFound',
    badState: 'InvalidDBInstanceState',
    snapshot: {
      element: 'DBSnapshot',
      arn: 'snapshot',
      maxLength: 255,
      notFound: 'DBSnapshotNotFound',
      exists: 'DBSnapshotAlreadyExists',
      badState: 'InvalidDBSnapshotState',
    },
  },
  cluster: {
    element: 'DBCluster',
    arn: 'cluster',
    notFound: 'DBClusterNotFoundFault',
    badState: 'InvalidDBClusterStateFault',
    snapshot: {
      element: 'DBClusterSnapshot',
      arn: 'cluster-snapshot',
      maxLength: 63,
      notFound: 'DBClusterSnapshotNotFoundFault',
      exists: 'DBClusterSnapshotAlreadyExistsFault',
      badState: 'InvalidDBClusterSnapshotStateFault',
    },
  },
} as const;

/** Identifiers of the instances of a cluster; the first is the writer. */
export function membersOf(identifier: string, { isMultiAz = false }: LocalInstance): string[] {
  return (isMultiAz ? [1, 2, 3] : [1]).map((number) => `${identifier}-instance-${number}`);
}

export function engineOf({ kind, isMultiAz = false }: LocalInstance): string {
  return kind === 'instance' || isMultiAz ? 'postgres' : 'aurora-postgresql';
}

/** RDS keeps identifiers in lower case. */
export function lower(identifier = ''): string {
  return identifier.toLowerCase();
}

export function arn(type: string, identifier: string): string {
  return `arn:aws:rds:${REGION}:${ACCOUNT}:${type}:${identifier}`;
}

export function engineVersion({ server }: LocalInstance): string {
  return server ? String(server.majorVersion) : '';
}

export function notFound(kind: Kind, identifier: string): AwsFaultError {
  return fault(WORDS[kind].notFound, `${WORDS[kind].element} ${identifier} not found.`, 404);
}

export function snapshotNotFound(kind: Kind, identifier: string): AwsFaultError {
  const { element, notFound: code } = WORDS[kind].snapshot;
  return fault(code, `${element} ${identifier} not found.`, 404);
}

export function fault(code: string, message: string, httpStatus = 400): AwsFaultError {
  return new AwsFaultError({ code, message, httpStatus });
}

export function validIdentifier(parameters: Parameters, name: string, maxLength: number): string {
  const identifier = parameters[name] ?? '';
  if (!/^[a-z](-?[a-z0-9])*$/i.test(identifier) || identifier.length > maxLength) {
    throw fault(
      'InvalidParameterValue',
      `The parameter ${name} is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; must not end with a hyphen or contain two consecutive hyphens; and have at most ${maxLength} characters.`,
    );
  }
  return lower(identifier);
}
