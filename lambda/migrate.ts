// Migrate: everything that is pending, in one transaction.
import { upgrade } from './migrator/migrator.ts';
import { isDrill } from './runtime/drill.ts';
import { stateHandler } from './runtime/handler.ts';
import { migratorOptions } from './runtime/migrator-options.ts';

export const handler = stateHandler(async (state, tools) => {
  const report = await upgrade(migratorOptions(state, tools), state.plan?.to ?? state.request.target);
  // The drill for an answer that is lost: committed, and nobody hears of it.
  if (isDrill(state, 'migrate-lost')) process.exit(1);
  return report;
});
