// A login that IAM vouches for: a token in the place of a password, good for opening connections for 15 minutes.
import { Signer } from '@aws-sdk/rds-signer';

/**
 * Signs a token with the credentials of the function; asks nobody. Whether IAM lets the function in is the server's answer.
 *
 * @param hostname the name of the endpoint, as the connection names it
 */
export function iamToken(hostname: string, port: number, username: string): Promise<string> {
  return new Signer({ hostname, port, username }).getAuthToken();
}
