// Places in a text: from bytes or characters, as PostgreSQL counts, to UTF-16 units, as JavaScript does.

/**
 * A function from a place in bytes of UTF-8 to the same place in UTF-16 units. Places must be asked for in ascending
 * order, so that the text is walked through once.
 */
export function unitsOfBytes(text: string): (bytes: number) => number {
  return walk(text, (code) => (code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4));
}

/** The place in UTF-16 units of a place in characters from 0. */
export function unitsOfCharacters(text: string, characters: number): number {
  return walk(text, () => 1)(characters);
}

function walk(text: string, sizeOf: (code: number) => number): (place: number) => number {
  let units = 0;
  let walked = 0;
  return (place) => {
    while (walked < place && units < text.length) {
      const code = text.codePointAt(units) as number;
      walked += sizeOf(code);
      units += code < 0x10000 ? 1 : 2;
    }
    return units;
  };
}
