// How the sources of a page become the text that is served. Does not parse markup or script.

/** Removes spaces that only the source needs. No text inside the script may have a space after one of these characters. */
export const squeeze = (source: string): string =>
  source
    .replace(/\n\s*/g, "\n")
    .replace(/ ?([=?:+<>!&|{}(),;]+) /g, "$1")
    .replace(/ {/g, "{")
    .replace(/([;{},])\n/g, "$1");

// A page is ASCII alone, so that its length in characters is its length in bytes: a server can send pieces of the text directly
// from flash, without a second copy of it in RAM.
export const asciiMarkup = (markup: string): string =>
  markup.replace(/[^\n -~]/gu, (character) => `&#${character.codePointAt(0)};`);
export const asciiScript = (script: string): string =>
  script.replace(/[^\n -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
