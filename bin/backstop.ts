#!/usr/bin/env node
// `npx backstop`: Alembic's verbs over the engine that the deployed functions run.
import { main } from './cli/main.ts';
import { processTerminal, tellInterruption } from './cli/terminal.ts';

tellInterruption();
process.exitCode = await main(process.argv.slice(2), processTerminal());
