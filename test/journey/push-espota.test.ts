// Pushes by espota, the Arduino IDE's tool. The kind: senders of several generations, each of which reads and hashes in its own way.

import { expect } from "chai";
import { CONFIG, HOUR_MS, PushBench, TOKEN } from "./push-bench.js";
import { GENERATIONS, type GenerationName } from "./pusher-espota.js";
import { imageOf } from "./rig.js";

describe("a push by espota", () => {
  let bench: PushBench;
  afterEach(() => bench.close());

  for (const generation of Object.keys(GENERATIONS) as GenerationName[]) {
    it(`is fetched from its sender in chunks that are acknowledged, and ends validated (${generation})`, async () => {
      bench = await PushBench.start();
      await bench.acceptUnsigned();
      const { said, sentBytes } = await bench.pusher.espota(bench.image, TOKEN, { generation });
      expect(said).equal("OK");
      expect(sentBytes).equal(bench.image.length);
      await bench.expectValidated();
    });

    for (const pieceBytesMax of [400, 536])
      it(`is received in segments of ${pieceBytesMax} bytes (${generation})`, async () => {
        bench = await PushBench.start();
        await bench.acceptUnsigned();
        expect((await bench.pusher.espota(bench.image, TOKEN, { generation, pieceBytesMax })).said).equal(
          "OK",
        );
        await bench.expectValidated();
      });

    for (const password of ["", "let me in"]) {
      it(`with ${password ? "a wrong" : "no"} password is refused (${generation})`, async () => {
        bench = await PushBench.start();
        await bench.acceptUnsigned();
        expect((await bench.pusher.espota(bench.image, password, { generation })).said).equal(
          "Authentication Failed",
        );
        expect(bench.erasedSectorCount).equal(0);
        await bench.expectOldFirmware();
      });
    }
  }

  it("is not answered while unsigned updates are switched off", async () => {
    bench = await PushBench.start();
    expect((await bench.pusher.espota(bench.image, TOKEN)).said).equal("no answer");
    expect(bench.erasedSectorCount).equal(0);
    await bench.expectOldFirmware();
  });

  it("that is too large is refused", async () => {
    bench = await PushBench.start();
    await bench.acceptUnsigned();
    expect((await bench.pusher.espota(new Uint8Array(0x200001), TOKEN)).said).equal(
      "ERROR: image is 2097153 bytes, slot is 2097152",
    );
    expect(bench.erasedSectorCount).equal(0);
    await bench.expectOldFirmware();
  });

  it("with another chip's image is refused in the first sector", async () => {
    bench = await PushBench.start();
    await bench.acceptUnsigned();
    const other = await imageOf("base", "1.1.0", "esp32c3", CONFIG);
    expect((await bench.pusher.espota(other, TOKEN)).said).equal(
      "ERROR: image is for chip esp32c3, this device has esp32",
    );
    expect(bench.erasedSectorCount).at.most(1);
    await bench.expectOldFirmware();
  });

  it("with an MD5 that does not match is refused", async () => {
    bench = await PushBench.start();
    await bench.acceptUnsigned();
    expect((await bench.pusher.espota(bench.image, TOKEN, { md5: "0".repeat(32) })).said).match(
      /^ERROR: .*MD5/,
    );
    await bench.expectOldFirmware();
  });

  for (const leaveAfter of [1, 50_000]) {
    it(`whose sender disconnects after ${leaveAfter} bytes arms nothing, and another can follow`, async () => {
      bench = await PushBench.start();
      await bench.acceptUnsigned();
      expect((await bench.pusher.espota(bench.image, TOKEN, { leaveAfter })).said).equal("left");
      await bench.expectOldFirmware();
      await bench.atHome(bench.rig.checks.length + 1);
      expect((await bench.pusher.espota(bench.image, TOKEN)).said).equal("OK");
      await bench.expectValidated();
    });
  }

  it("is refused during another one, which is not disturbed", async () => {
    bench = await PushBench.start();
    await bench.acceptUnsigned();
    const first = bench.pusher.beginEspota(bench.image, TOKEN);
    await bench.world.runUntil(() => first.sentBytes > 20_000, { limitMs: HOUR_MS });
    expect((await bench.pusher.espota(bench.image, TOKEN)).said).equal(
      "ERROR: another update is in progress: an image is being pushed",
    );
    expect((await bench.pusher.push(bench.image, bench.signed())).status).equal(409);
    await bench.world.runUntil(() => first.over, { limitMs: HOUR_MS });
    expect(first.said).equal("OK");
    await bench.expectValidated();
  });
});
