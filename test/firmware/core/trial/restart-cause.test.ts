import { expect } from "chai";
import { intendedRestart, resetCause } from "../../../../firmware/core/trial/restart-cause.js";
import { IMAGE } from "../events.js";

const boot = (resetReason: string, restartNote?: string, slotState: typeof IMAGE.slotState = "valid") => ({
  resetReason,
  image: { ...IMAGE, slotState },
  ...(restartNote === undefined ? {} : { restartNote }),
});

describe("the cause of a boot", () => {
  it("names the firmware's own reason beside the chip's", () => {
    expect(resetCause(boot("software", "owner"))).equal("software (owner)");
    expect(resetCause(boot("software", "update", "pending_verify"))).equal("software (update)");
    expect(resetCause(boot("software"))).equal("software");
  });

  it("ignores a note when the chip restarted for another reason", () => {
    for (const reason of ["power-on", "panic", "task-watchdog", "brownout"])
      expect(resetCause(boot(reason, "owner"))).equal(reason);
  });

  it("does not confuse a new image's crash with the restart that began its trial", () => {
    expect(intendedRestart(boot("software", "update", "factory"))).equal(undefined);
    expect(resetCause(boot("software", "update", "factory"))).equal("software");
  });
});
