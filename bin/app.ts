// The CDK app: one stack, configured by the context key `backstop` in cdk.json.
import { App } from 'aws-cdk-lib';
import { ConfigurationError } from '../lambda/migrator/errors.ts';
import { addBackstop } from '../lib/synthesize.ts';

try {
  addBackstop(new App());
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  console.error(error.message);
  process.exit(1);
}
