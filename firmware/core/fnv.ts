// A number for a text: equal texts have the same, different ones hardly ever. No proof of anything: it is easy to find two texts with
// the same number.

const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/** FNV-1a of the text's characters, 32 bits. */
export function fnv1a(text: string): number {
  let hash = OFFSET_BASIS;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), PRIME);
  return hash >>> 0;
}
