/** How a scan's results reach firmware: one turn, an item after the other, then null; an item's exception is dropped. */

import type { Machine } from "../../machine/machine.js";
import type { ScanResult } from "../../network/radio.js";
import { type Callback, isSwallowed } from "../native.js";

/** Gives the function that the radio calls with what it has heard. */
export function announceScan(
  machine: Machine,
  describe: (found: ScanResult) => object,
  onItem: Callback,
  onEnd: () => void = () => onItem.call(undefined, null),
): (results: readonly ScanResult[]) => void {
  return (results) => {
    machine.after(0, () => {
      for (const result of results) {
        try {
          onItem.call(undefined, describe(result));
        } catch (error) {
          if (!isSwallowed(machine, error)) throw error;
        }
      }
      onEnd();
    });
  };
}
