import { expect } from "chai";
import { PowerCut } from "../../host-sim/hardware/flash.js";
import { type Rig, setUpRig } from "./rig.js";

const HOUR_MS = 3_600_000;

interface Outcome {
  readonly validated: boolean;
  readonly cutCount: number;
  readonly operationCount: number;
  readonly slot: string | undefined;
  readonly server: readonly string[];
}

/** A whole journey whose power fails at these operations of the flash, and comes back a second and a half later. */
async function journey(cutsAt: readonly number[], when: "before" | "after"): Promise<Outcome> {
  let operationCount = 0;
  let cutCount = 0;
  const rig: Rig = await setUpRig({
    onEvent: ({ type }) => {
      if (type === "powerCut") rig.desk.world.schedule(1_500, () => rig.desk.device.powerOn());
    },
  });
  const { device, world } = rig.desk;
  device.flash.onOperation = (_, at) => {
    if (at !== when) return;
    if (!cutsAt.includes(operationCount++)) return;
    cutCount++;
    device.flash.cutPower();
    throw new PowerCut(`operation ${operationCount - 1}`);
  };
  device.powerOn();
  const isValidated = () =>
    rig.checks.at(-1)?.current_version === "1.1.0" && rig.checks.at(-1)?.slot_state === "valid";
  const succeeded = () => isValidated() || rig.reports.some(({ status }) => status === "success");
  const validated = await world.runUntil(succeeded, { limitMs: HOUR_MS });
  await world.runFor(5_000);
  const server = (await rig.server.updates()).map(({ status }) => status);
  const outcome = { validated, cutCount, operationCount, slot: device.running?.label, server };
  await rig.close();
  return outcome;
}

describe("a power cut", function () {
  this.timeout(300_000);

  for (const when of ["before", "after"] as const) {
    it(`${when} any flash operation of the journey ends with a validated device`, async () => {
      const { operationCount } = await journey([], when);
      expect(operationCount).above(60);
      for (let operation = 0; operation < operationCount; operation++) {
        const { validated, cutCount, slot, server } = await journey([operation], when);
        const where = `cut ${when} operation ${operation}`;
        expect(cutCount, where).equal(1);
        expect(validated, where).equal(true);
        expect(slot, where).equal("ota_0");
        expect(server.at(-1), where).equal("success");
      }
    });
  }

  it("twice, at operations drawn from a seed, ends with a validated device", async () => {
    let seed = 20261121;
    const draw = (below: number) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return seed % below;
    };
    let cuts = 0;
    for (let run = 0; run < 40; run++) {
      const cutsAt = [draw(80), 80 + draw(80)];
      const { validated, cutCount } = await journey(cutsAt, run % 2 === 0 ? "before" : "after");
      expect(validated, `cuts at ${cutsAt}`).equal(true);
      cuts += cutCount;
    }
    expect(cuts).above(60);
  });
});
