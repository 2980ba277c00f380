// IAM database authentication: a token instead of a password, with which connections can be opened for 15 minutes.
import { Signer } from '@aws-sdk/rds-signer';

/**
 * Signs a token with the function's credentials, without a request. The server checks whether IAM allows the login.
 *
 * @param hostname the name of the endpoint, as the connection names it
 */
export function iamToken(hostname: string, port: number, username: string): Promise<string> {
  return new Signer({ hostname, port, username }).getAuthToken();
}
