// `downgrade after finalize`, disturbed at every statement.
import { testVerb } from './test-verb.ts';

await testVerb('downgrade after finalize');
