// `downgrade`, disturbed at every statement.
import { testVerb } from './test-verb.ts';

await testVerb('downgrade');
