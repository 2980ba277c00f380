// Before each test file: the processes that it starts find what others have compiled. Jest's own processes do without,
// because they would write it to disk when they end.
const { BACKSTOP_TEST_COMPILED } = process.env;
if (BACKSTOP_TEST_COMPILED) process.env.NODE_COMPILE_CACHE = BACKSTOP_TEST_COMPILED;
