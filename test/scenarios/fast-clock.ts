// Loaded before the program, it makes the clock 300 times as fast: the 300 s of a run pass in one second.
const FASTER = 300;

const now = performance.now.bind(performance);
performance.now = () => now() * FASTER;
