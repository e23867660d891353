// One check, answered with the bytes of an input; what the device's log says of it is the class of the answer.

import type { House } from "../house.js";
import type { Script } from "../server.js";

/** From here on the server holds each check until an input answers it. */
export async function holdChecks(house: House): Promise<void> {
  house.server.isHolding = true;
  await house.untilHeld();
}

/** Answers the check that is held, and runs until the next. */
export async function answerCheck(house: House, script: Script): Promise<string> {
  house.server.answerHeld(script);
  await house.untilHeld();
  return classOf(house);
}

/** What becomes of an offer is the last thing that the log says of it. */
function classOf({ log }: House): string {
  for (let n = log.length - 1; n >= 0; n--) {
    const line = log[n]!;
    const code = /\[([A-Z_]+)\]/.exec(line)?.[1];
    if (code !== undefined) return code;
    const found = SENTENCES.find(([text]) => line.includes(text));
    if (found) return found[1];
  }
  return "taken";
}

const SENTENCES: readonly (readonly [string, string])[] = Object.freeze([
  ["update check failed", "check failed"],
  ["is not read", "not read"],
  ["is skipped", "skipped"],
  ["updating to", "download"],
] as const);
