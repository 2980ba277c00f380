// Loaded before the program, it makes its clock run 300 times as fast: the 300 s of a run are over after one.
const FASTER = 300;

const now = performance.now.bind(performance);
performance.now = () => now() * FASTER;
