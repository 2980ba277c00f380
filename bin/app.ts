// The CDK app, configured by the context key `backstop` in cdk.json. A finding of cdk-nag or an exceeded quota fails the
// synthesis.
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { isEnding } from '../lambda/migrator/model/errors.ts';
import { addBackstop, synthesizeWithinQuotas } from '../lib/synthesize.ts';

try {
  const app = new App();
  addBackstop(app);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  synthesizeWithinQuotas(app);
} catch (error) {
  if (!isEnding(error, 'ConfigurationError')) throw error;
  console.error(error.message);
  process.exit(1);
}
