// The ways in which a boot ends, and the reset reason of the next one. Ends no boot itself.

import { RESET_REASON } from "./machine.js";

/** Thrown through firmware when its boot is over; instrumented code cannot catch it. */
export class BootOver extends Error {
  override readonly name = "BootOver";
}

/** How a boot ended. */
export type BootEnd =
  | { readonly type: "restart"; readonly reason: number }
  | { readonly type: "deepSleep"; readonly ms: number }
  | { readonly type: "uncaught"; readonly error: unknown; readonly duringModule: boolean }
  | { readonly type: "outOfMemory" }
  | { readonly type: "stackOverflow" }
  | { readonly type: "watchdog" }
  | { readonly type: "powerCut" }
  | { readonly type: "powerOff" };

/** What the reset reason of the next boot is after a boot that ended so. */
export function resetReasonAfter(end: BootEnd): number {
  switch (end.type) {
    case "restart":
      return end.reason;
    case "deepSleep":
      return RESET_REASON.deepSleep;
    case "watchdog":
      return RESET_REASON.taskWatchdog;
    // XS ends a machine that cannot go on by a software restart of the chip.
    case "uncaught":
    case "outOfMemory":
    case "stackOverflow":
      return RESET_REASON.software;
    case "powerCut":
    case "powerOff":
      return RESET_REASON.powerOn;
  }
}

/** Whether V8 threw this because the stack was full: XS ends the machine then. */
export function isStackOverflow(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  const { name, message } = error as Partial<Error>;
  return name === "RangeError" && message === "Maximum call stack size exceeded";
}
