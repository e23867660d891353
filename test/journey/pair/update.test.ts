import { expect } from "chai";
import { type PairRig, pairImage, setUpPair } from "./pair-rig.js";

const LIMIT_MS = 30 * 60_000;

describe("updates of a pair", () => {
  let pair: PairRig;
  afterEach(() => pair.close());

  const runs = (app: "receiver" | "transmitter", version: string) => () =>
    pair.checks.some(
      ({ device_type, current_version, slot_state }) =>
        device_type === app && current_version === version && slot_state === "valid",
    );

  it("bring the transmitter a new version through the receiver", async () => {
    pair = await setUpPair({ update: await pairImage("transmitter", "1.1.0") });
    pair.powerOn();
    const isDone = await pair.until(runs("transmitter", "1.1.0"), LIMIT_MS);
    expect(isDone, pair.lines.transmitter.join("\n")).equal(true);
    expect(pair.transmitter.running?.label).equal("ota_0");
  });
});
