// The simulator's terminal, for texts that a device and its server write.

import { createTerminal, type Terminal } from "../../host-sim/sim/terminal.js";
import { printable } from "../shared/printable.js";

export function createPrintableTerminal(output: NodeJS.WriteStream): Terminal {
  const terminal = createTerminal(output);
  return {
    done: (text) => terminal.done(printable(text)),
    note: (text) => terminal.note(printable(text)),
    warn: (text) => terminal.warn(printable(text)),
    progress: (label, done, total, what) => terminal.progress(printable(label), done, total, what),
  };
}
