// A login that IAM vouches for: a token in the place of a password, good for opening connections for 15 minutes.
import { Signer } from '@aws-sdk/rds-signer';

/**
 * Signs a token with the function's credentials, without a request. The server checks whether IAM allows the login.
 *
 * @param hostname the name of the endpoint, as the connection names it
 */
export function iamToken(hostname: string, port: number, username: string): Promise<string> {
  return new Signer({ hostname, port, username }).getAuthToken();
}
