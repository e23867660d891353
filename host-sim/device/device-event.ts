// What happens to a virtual device, as its observer sees it. Holds no state.

import { BUNDLE_NAME } from "../engine/evaluate.js";
import type { Partition } from "../hardware/partitions/partition.js";
import type { BootEnd } from "../machine/boot-end.js";

export type DeviceEvent =
  | {
      readonly type: "booted";
      readonly partition: Partition;
      readonly resetReason: number;
      readonly bootCount: number;
    }
  | { readonly type: "bootFailed"; readonly message: string }
  | { readonly type: "restarted"; readonly cause: BootEnd["type"]; readonly resetReason: number }
  /** An error that firmware did not catch: the cause of the restart that follows. */
  | {
      readonly type: "uncaught";
      readonly name: string;
      readonly message: string;
      /** Lines `    at f (main.js:line:column)` of the bundle. */
      readonly stack: string;
      readonly duringModule: boolean;
    }
  | { readonly type: "powerCut" }
  | { readonly type: "poweredOff" };

/** The event of a value that firmware threw and did not catch. */
export function describeUncaught(end: Extract<BootEnd, { type: "uncaught" }>): DeviceEvent {
  const { error, duringModule } = end;
  const { name, message, stack } = (
    typeof error === "object" && error !== null ? error : {}
  ) as Partial<Error>;
  return {
    type: "uncaught",
    name: String(name ?? "Error"),
    message: String(message ?? error),
    stack: firmwareFrames(String(stack ?? "")),
    duringModule,
  };
}

/** The lines of a stack that are firmware's own. */
function firmwareFrames(stack: string): string {
  return stack
    .split("\n")
    .filter((line) => line.includes(BUNDLE_NAME))
    .join("\n");
}
