// JSON of a body that anybody in the house may send: an object of texts, numbers, true, false and null, which is all that the device's
// pages send. XS restarts the chip when its stack or its heap is full, and 500 nested lists fill the one, 2 000 zeros in a list the
// other: so what is nested, or has more members than any settings, is refused before it is parsed.

/** More than any section of settings has. */
const MAX_MEMBER_COUNT = 32;

/** The object; nothing if the text is no JSON, or not such an object. */
export function parseFlat(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!isFlat(text)) return undefined;
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}

/** Goes from quote to quote: between texts there are no brackets but the outer ones. Whether it is JSON at all is not seen here. */
function isFlat(text: string): boolean {
  const begin = text.indexOf("{");
  if (begin < 0 || text.slice(0, begin).trim() !== "") return false;
  let position = begin + 1;
  for (let count = 0; count <= 2 * MAX_MEMBER_COUNT; count++) {
    const quote = text.indexOf('"', position);
    if (/[[{]/.test(text.slice(position, quote < 0 ? text.length : quote))) return false;
    if (quote < 0) return true;
    const end = endOfText(text, quote + 1);
    if (end < 0) return false;
    position = end + 1;
  }
  return false;
}

/** Where the quote stands that ends a text: the first with an even number of backslashes before it. */
function endOfText(text: string, start: number): number {
  for (let quote = text.indexOf('"', start); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let first = quote;
    while (first > start && text.charAt(first - 1) === "\\") first--;
    if ((quote - first) % 2 === 0) return quote;
  }
  return -1;
}
