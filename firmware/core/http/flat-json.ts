// JSON of a body from any client in the network: an object of strings, numbers, true, false and null, which is all that the device's pages
// send. XS restarts the chip when its stack or its heap is full; 500 nested arrays fill the stack, 2 000 zeros in an array the heap. So
// a nested value, or one with more members than any settings have, is refused before it is parsed.

/** More than any section of settings has. */
const MAX_MEMBER_COUNT = 32;

/** The object; undefined if the text is not JSON, or not such an object. */
export function parseFlat(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!isFlat(text)) return undefined;
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}

/** Scans from quote to quote: between strings there are no brackets but the outer ones. Does not check that it is JSON at all. */
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

/** Position of the quote that ends a string: the first with an even number of backslashes before it. */
function endOfText(text: string, start: number): number {
  for (let quote = text.indexOf('"', start); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let first = quote;
    while (first > start && text.charAt(first - 1) === "\\") first--;
    if ((quote - first) % 2 === 0) return quote;
  }
  return -1;
}
