// The exit status of the program.
export const DONE = 0;
export const FAILED = 1;
export const USED_WRONGLY = 2;
