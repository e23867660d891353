// How the sources of a page become the text that is served. Never looks into markup or script further than this.

/** Spaces are for whoever reads this file; phone and flash do without. No text inside the script has a space behind one of these. */
export const squeeze = (source: string): string =>
  source
    .replace(/\n\s*/g, "\n")
    .replace(/ ?([=?:+<>!&|{}(),;]+) /g, "$1")
    .replace(/ {/g, "{")
    .replace(/([;{},])\n/g, "$1");

// A page is ASCII alone, so that its length in characters is its length in bytes: a server can send pieces of the text as it lies
// in flash, without a second copy of it in RAM.
export const asciiMarkup = (markup: string): string =>
  markup.replace(/[^\n -~]/gu, (character) => `&#${character.codePointAt(0)};`);
export const asciiScript = (script: string): string =>
  script.replace(/[^\n -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
