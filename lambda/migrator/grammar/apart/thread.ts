// The thread that reads the SQL that it is given, and answers with the window as JSON.
import { parentPort, workerData } from 'node:worker_threads';
import { loadGrammar, readHere } from '../postgres.ts';

parentPort?.postMessage(JSON.stringify(readHere(await loadGrammar(), workerData)));
