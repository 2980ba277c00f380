// `npm run bundles`: a table of the functions' bundles, with their size and the time that Node takes to load them.
import { measureBundles } from './bundles/measure.ts';

const RUNS = 5;
const row = (name: string, size: string, load: string) =>
  console.log(`${name.padEnd(16)} ${size.padStart(8)} ${load.padStart(8)}`);

row('function', 'bundle', 'load');
for (const { name, bytes, loadMs } of measureBundles(RUNS)) {
  row(name, `${Math.round(bytes / 1000)} kB`, `${Math.round(loadMs)} ms`);
}
console.log(`Load: median of ${RUNS} processes, Node ${process.versions.node}.`);
