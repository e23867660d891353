// Power cuts during the first journey, with the real server. Power cuts at every other point are the sweep's task
// (test/sweep): there the device and its flash are the same, and the server is a small one.

import { expect } from "chai";
import { type Flash, type FlashOperation, PowerCut } from "../../host-sim/hardware/flash/flash.js";
import { type Rig, setUpRig } from "./rig.js";

const HOUR_MS = 3_600_000;
/** Below it are NVS and otadata. */
const SLOTS_OFFSET = 0x10000;

interface Outcome {
  readonly validated: boolean;
  readonly cutCount: number;
  readonly slot: string | undefined;
  readonly server: readonly string[];
}

/** Arms a power cut; called with the flash of a device that was just switched on, before its boot loader starts. */
type Fault = (flash: Flash) => void;

/** At these operations, counted from power on. */
const atOperations =
  (
    cutsAt: readonly number[],
    when: "before" | "after",
    onOperation: (operation: FlashOperation) => void = () => {},
  ): Fault =>
  (flash) => {
    let operation = 0;
    flash.onOperation = (done, at) => {
      if (at !== when) return;
      onOperation(done);
      if (!cutsAt.includes(operation++)) return;
      flash.cutPower();
      throw new PowerCut(`operation ${operation - 1}`);
    };
  };

/** A whole journey in which the power fails, and comes back a second and a half later. */
async function journey(fault: Fault): Promise<Outcome> {
  let cutCount = 0;
  const rig: Rig = await setUpRig({
    onEvent: ({ type }) => {
      if (type !== "powerCut") return;
      cutCount++;
      rig.desk.world.schedule(1_500, () => rig.desk.device.powerOn());
    },
  });
  const { device, world } = rig.desk;
  device.powerOn();
  fault(device.flash);
  const isValidated = () =>
    rig.checks.at(-1)?.current_version === "1.1.0" && rig.checks.at(-1)?.slot_state === "valid";
  const succeeded = () => isValidated() || rig.reports.some(({ status }) => status === "success");
  const validated = await world.runUntil(succeeded, { limitMs: HOUR_MS });
  await world.runFor(5_000);
  const server = (await rig.server.updates()).map(({ status }) => status);
  const outcome = {
    validated,
    cutCount,
    slot: device.running?.label,
    server,
  };
  await rig.close();
  return outcome;
}

/** Numbers drawn from a seed, the same in every run. */
function drawer(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe("a power cut", function () {
  this.timeout(300_000);

  for (const [first, when] of (["before", "after"] as const).entries()) {
    it(`${when} an operation of the journey ends with a validated device, also on the server`, async () => {
      const operations: FlashOperation[] = [];
      await journey(atOperations([], when, (operation) => operations.push(operation)));
      expect(operations.length).above(60);
      // every operation on NVS and otadata, and some of the many on the slot
      const cutsAt = operations.flatMap(({ offset }, index) =>
        offset < SLOTS_OFFSET || index % 8 === 0 ? [index] : [],
      );
      expect(cutsAt.length).within(30, 140);
      // what the device makes of every one of them, the sweep shows in less time; here the server is asked, too
      for (const operation of cutsAt.filter((_, index) => index % 4 === first * 2)) {
        const { validated, cutCount, slot, server } = await journey(atOperations([operation], when));
        const where = `cut ${when} operation ${operation}`;
        expect(cutCount, where).equal(1);
        expect(validated, where).equal(true);
        expect(slot, where).equal("ota_0");
        expect(server.at(-1), where).equal("success");
      }
    });
  }

  it("twice, at operations drawn from a seed, ends with a validated device", async () => {
    const draw = drawer(20261121);
    let cuts = 0;
    for (let run = 0; run < 16; run++) {
      const cutsAt = [draw(60), 61 + draw(35)];
      const { validated, cutCount } = await journey(atOperations(cutsAt, run % 2 === 0 ? "before" : "after"));
      expect(validated, `cuts at ${cutsAt}`).equal(true);
      cuts += cutCount;
    }
    expect(cuts).above(24);
  });
});
