import { expect } from "chai";
import { MINUTE_MS, type PairRig, pairImage, setUpPair } from "./pair-rig.js";

describe("a receiver and its transmitter", () => {
  let pair: PairRig;
  afterEach(() => pair.close());

  const hasData = () => pair.lines.receiver.some((line) => line.includes("the transmitter sends data"));

  it("find each other, exchange data, and the receiver shows both", async () => {
    pair = await setUpPair();
    pair.powerOn();
    expect(await pair.until(hasData), pair.lines.transmitter.join("\n")).equal(true);
    const version = await pair.get("/api/version");
    expect(version).include({
      type: "receiver",
      device: "receiver",
      firmware_version: "1.0.0",
      firmware_version_number: 10_000,
      protocol_version: 1,
      transmitter_version: "1.0.0",
      transmitter_compatible: true,
    });
    expect(version.peer).include({
      deviceType: "transmitter",
      version: "1.0.0",
      isConnected: true,
      isCompatible: true,
    });
    const health = await pair.get("/api/health");
    expect(health).include({
      status: "healthy",
      device: "receiver",
      espnow_connected: true,
      wifi_connected: true,
    });
    expect(health.errors).deep.equal([]);
  });

  it("that do not speak the same protocol exchange no data, and the receiver warns", async () => {
    pair = await setUpPair({ transmitter: await pairImage("transmitter", "1.3.0", { protocolVersion: 2 }) });
    pair.powerOn();
    await pair.until(() => pair.lines.transmitter.some((line) => line.includes("is in range")));
    await pair.desk.world.runFor(MINUTE_MS);
    expect(hasData()).equal(false);
    expect(await pair.get("/api/version")).include({
      transmitter_version: "1.3.0",
      transmitter_compatible: false,
    });
    const health = await pair.get("/api/health");
    expect(health).include({ status: "degraded", espnow_connected: true });
    const warning = "The transmitter 1.3.0 is not compatible: it speaks protocol 2, this device 1.";
    expect(health.errors).include(warning);
  });

  it("miss each other while one has no power, and meet again", async () => {
    pair = await setUpPair();
    pair.powerOn();
    expect(await pair.until(hasData)).equal(true);
    pair.transmitter.powerOff();
    await pair.desk.world.runFor(MINUTE_MS);
    expect(await pair.get("/api/health")).include({ status: "degraded", espnow_connected: false });
    pair.transmitter.powerOn();
    await pair.desk.world.runFor(MINUTE_MS);
    expect(await pair.get("/api/health")).include({ status: "healthy", espnow_connected: true });
  });
});
