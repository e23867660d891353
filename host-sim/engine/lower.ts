// Rewrites async functions into generators that run on the Promise of the device's realm: native ones would use native
// promises, whose jobs run when Node likes instead of when XS's event loop would run them.

import { transformSync } from "esbuild";

/** The same module or script without async functions, async generators and for await. @throws SyntaxError */
export function lowerAsync(text: string): string {
  if (!/\basync\b|\bawait\b/.test(text)) return text;
  try {
    return transformSync(text, {
      loader: "js",
      target: "es2023",
      supported: { "async-await": false, "async-generator": false, "for-await": false },
      logLevel: "silent",
    }).code;
  } catch (error) {
    throw new SyntaxError(error instanceof Error ? error.message : String(error));
  }
}
