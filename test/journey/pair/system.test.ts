import { expect } from "chai";
import { imageOf } from "../rig.js";
import { MINUTE_MS, type PairApp, type PairRig, pairImage, setUpPair } from "./pair-rig.js";
import { publish } from "./publish.js";

const LIMIT_MS = 60 * 60_000;

describe("the system of a pair", () => {
  let pair: PairRig;
  afterEach(() => pair.close());

  const newest = (app: PairApp) => pair.checks.findLast(({ device_type }) => device_type === app);
  const runs = (app: PairApp, version: string) => newest(app)?.current_version === version;
  const said = (text: string) => pair.lines.receiver.some((line) => line.includes(text));
  const trace = () => pair.trace.slice(-80).join("\n");

  it("is installed on both, the receiver first", async () => {
    pair = await setUpPair();
    await publish(pair, "1.1.0", {
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

  for (const app of ["transmitter", "receiver"] as const)
    it(`whose ${app} crashes leaves both as they were, and is not tried again by itself`, async () => {
      pair = await setUpPair();
      const images = {
        receiver: await pairImage("receiver", "1.1.0"),
        transmitter: await pairImage("transmitter", "1.1.0"),
      };
      await publish(pair, "1.1.0", {
        ...images,
        [app]: await imageOf("throws-later.ts", "1.1.0", "esp32", { type: app }),
      });
      pair.powerOn();
      const isOver = await pair.until(
        () => said("system 1.1.0 is not installed, both run what they had"),
        LIMIT_MS,
      );
      expect(isOver, trace()).equal(true);
      // it asks for the manifest a minute after each boot
      await pair.desk.world.runFor(5 * MINUTE_MS);
      expect(runs("receiver", "1.0.0"), "the receiver").equal(true);
      expect(runs("transmitter", "1.0.0"), "the transmitter").equal(true);
      expect(await pair.get("/api/health")).include({ status: "healthy" });
      expect(pair.lines.receiver.filter((line) => line.includes("1.1.0: staging"))).length(1);
    });

  const CUTS: readonly (readonly [what: string, app: PairApp, by: PairApp, line: string])[] = [
    ["the receiver gets its image", "receiver", "receiver", "updating to 1.1.0"],
    ["the transmitter gets its image", "receiver", "transmitter", "resuming at byte 131072"],
    ["the receiver is on trial", "receiver", "receiver", "trial run"],
    ["the transmitter has its image", "transmitter", "transmitter", "1.1.0 is staged"],
    ["the transmitter is on trial", "transmitter", "transmitter", "trial run"],
  ];
  for (const [what, app, by, line] of CUTS)
    it(`gets to its end when the ${app} loses its power while ${what}`, async () => {
      pair = await setUpPair();
      await publish(pair, "1.1.0", {
        receiver: await pairImage("receiver", "1.1.0"),
        transmitter: await pairImage("transmitter", "1.1.0"),
      });
      pair.powerOn();
      const isThere = await pair.until(() => pair.lines[by].some((text) => text.includes(line)), LIMIT_MS);
      expect(isThere, trace()).equal(true);
      pair[app].powerOff();
      await pair.desk.world.runFor(2_000);
      pair[app].powerOn();
      const isOver = await pair.until(
        () => said("system 1.1.0 is installed on both") || said("system 1.1.0 is not installed"),
        LIMIT_MS,
      );
      expect(isOver, trace()).equal(true);
      await pair.desk.world.runFor(MINUTE_MS);
      const version = said("system 1.1.0 is installed on both") ? "1.1.0" : "1.0.0";
      expect([newest("receiver")?.current_version, newest("transmitter")?.current_version]).deep.equal([
        version,
        version,
      ]);
      expect(await pair.get("/api/health")).include({ status: "healthy" });
    });
});
