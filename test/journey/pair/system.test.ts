import { expect } from "chai";
import { readRelease } from "../../../release/signing.js";
import { describeSystem, signSystem } from "../../../release/system.js";
import { releaseKeys, releaseOf, START_TIME } from "../rig.js";
import { type PairApp, type PairRig, pairImage, setUpPair } from "./pair-rig.js";

const LIMIT_MS = 60 * 60_000;

describe("the system of a pair", () => {
  let pair: PairRig;
  afterEach(() => pair.close());

  /** Both images, not stable, and the system that they are. */
  async function publish(version: string, images: Readonly<Record<PairApp, Uint8Array>>): Promise<void> {
    const members = [];
    for (const app of ["receiver", "transmitter"] as const) {
      const release = await releaseOf(images[app]);
      await pair.server.upload(images[app], release, { is_stable: "false" });
      members.push({ release: readRelease(release).release });
    }
    const payload = describeSystem(members, {
      name: "pair",
      version,
      created: START_TIME - 500,
    });
    const manifest = await signSystem(payload, (await releaseKeys()).privateKey);
    await pair.server.admin("POST", "/api/v1/systems", { manifest });
  }

  const newest = (app: PairApp) => pair.checks.findLast(({ device_type }) => device_type === app);
  const runs = (app: PairApp, version: string) => {
    const check = newest(app);
    return check?.current_version === version && check.slot_state === "valid";
  };
  const said = (text: string) => pair.lines.receiver.some((line) => line.includes(text));
  const trace = () => pair.trace.slice(-80).join("\n");

  it("is installed on both, the receiver first", async () => {
    pair = await setUpPair();
    await publish("1.1.0", {
      receiver: await pairImage("receiver", "1.1.0"),
      transmitter: await pairImage("transmitter", "1.1.0"),
    });
    pair.powerOn();
    const isDone = await pair.until(() => said("system 1.1.0 is installed on both devices"), LIMIT_MS);
    expect(isDone, trace()).equal(true);
    expect(pair.receiver.running?.label).equal("ota_0");
    expect(pair.transmitter.running?.label).equal("ota_0");
    expect(await pair.get("/api/version")).include({
      firmware_version: "1.1.0",
      transmitter_version: "1.1.0",
      transmitter_compatible: true,
    });
  });
});
