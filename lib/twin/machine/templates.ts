// Payload templates and the intrinsic functions in them.
import { RuntimeError } from './errors.ts';
import { PATH, readPath, type Scope } from './paths.ts';

/** The template with the value of each field whose name ends with `.$`. */
export function fillTemplate(template: unknown, scope: Scope): unknown {
  if (Array.isArray(template)) return template.map((item) => fillTemplate(item, scope));
  if (typeof template !== 'object' || template === null) return template;
  return Object.fromEntries(
    Object.entries(template).map(([field, value]) =>
      field.endsWith('.$')
        ? [field.slice(0, -2), evaluate(String(value), scope)]
        : [field, fillTemplate(value, scope)],
    ),
  );
}

/**
 * The value of a path, or the result of an intrinsic function.
 *
 * @throws StateError States.Runtime if the path has no value, or the function does not accept its arguments
 */
export function evaluate(expression: string, scope: Scope): unknown {
  if (expression.startsWith('$')) return present(expression, scope);
  return new Call(expression, scope).value();
}

function present(path: string, scope: Scope): unknown {
  const value = readPath(path, scope);
  if (value === undefined) throw new RuntimeError(`The JSONPath '${path}' could not be found in the input.`);
  return value;
}

/** In a literal, a backslash escapes these, and may not be before another character. */
const LITERAL = /'(?:\\['{}\\]|[^'\\])*'/y;
const CONSTANT = /true|false|null|-?\d+(?:\.\d+)?/y;
const REFERENCE = new RegExp(PATH.source, 'y');
const NAME = /States\.\w+/y;
const OPEN = /\s*\(\s*/y;
const COMMA = /\s*,\s*/y;
const CLOSE = /\s*\)/y;

/** Reads an expression from left to right, and evaluates it. */
class Call {
  readonly #expression: string;
  readonly #scope: Scope;
  #position = 0;

  constructor(expression: string, scope: Scope) {
    this.#expression = expression;
    this.#scope = scope;
  }

  value(): unknown {
    const result = this.#call();
    if (this.#position < this.#expression.length) throw this.#invalid();
    return result;
  }

  #call(): unknown {
    const name = this.#expect(NAME);
    this.#expect(OPEN);
    // Raw, since a template must tell \{\} from {}.
    const args: unknown[] = name === 'States.Format' ? [this.#expect(LITERAL).slice(1, -1)] : [];
    while (this.#next(CLOSE) === undefined) {
      if (args.length > 0) this.#expect(COMMA);
      args.push(this.#argument());
    }
    const called = FUNCTIONS.get(name);
    if (!called) throw new Error(`The local state machine does not know ${name}.`);
    return called(...args);
  }

  #argument(): unknown {
    const literal = this.#next(LITERAL);
    if (literal !== undefined) return literal.slice(1, -1).replace(/\\(.)/gs, '$1');
    const path = this.#next(REFERENCE);
    if (path !== undefined) return present(path, this.#scope);
    const constant = this.#next(CONSTANT);
    return constant === undefined ? this.#call() : JSON.parse(constant);
  }

  #next(token: RegExp): string | undefined {
    token.lastIndex = this.#position;
    const [found] = token.exec(this.#expression) ?? [];
    this.#position += found?.length ?? 0;
    return found;
  }

  #expect(token: RegExp): string {
    const found = this.#next(token);
    if (found === undefined) throw this.#invalid();
    return found;
  }

  #invalid(): Error {
    return new RuntimeError(`The intrinsic function '${this.#expression}' is not valid.`);
  }
}

const FUNCTIONS = new Map<string, (...args: unknown[]) => unknown>([
  ['States.Format', format],
  ['States.StringToJson', stringToJson],
  ['States.JsonToString', (value) => JSON.stringify(value)],
]);

/** @param template raw: `{}` is the place of an argument, and a backslash escapes the next character */
function format(template: unknown, ...args: unknown[]): string {
  const places = [...String(template).matchAll(/\\.|(\{\})/gs)].filter(([, place]) => place).length;
  if (places !== args.length)
    throw new RuntimeError(`States.Format was given ${args.length} arguments for ${places} places.`);
  const texts = args.map(textOf).values();
  return String(template).replace(/\\(.)|\{\}/gs, (_, escaped) => escaped ?? texts.next().value);
}

function textOf(value: unknown): string {
  if (value === null || typeof value !== 'object') return String(value);
  throw new RuntimeError('States.Format takes no object and no array.');
}

function stringToJson(value: unknown): unknown {
  if (typeof value !== 'string') throw new RuntimeError('States.StringToJson takes a string only.');
  try {
    return value.trim() === '' ? null : JSON.parse(value);
  } catch {
    throw new RuntimeError('States.StringToJson was given a string that is no JSON.');
  }
}
