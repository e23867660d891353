// Accepted pushes, also when the sender, the server or the power fails.

import { expect } from "chai";
import { PowerCut } from "../../host-sim/hardware/flash/flash.js";
import { nothingNew, PushBench, TOKEN } from "./push-bench.js";

describe("a push", () => {
  let bench: PushBench;
  afterEach(() => bench.close());

  it("of a signed image is answered, then restarts the device, and ends validated", async () => {
    bench = await PushBench.start();
    const asJson = bench.signed({ headers: { accept: "application/json" } });
    const { status, text } = await bench.pusher.push(bench.image, asJson);
    expect(text).match(/"ok":true,"version":"1\.1\.0","build":0,"slot":"ota_0"/);
    expect(status).equal(200);
    expect(bench.device.bootCount).equal(1);
    await bench.world.runFor(2_000); // a second for the answer to leave, then the boot loader verifies the image
    expect(bench.device.bootCount).equal(2);
    await bench.expectValidated();
  });

  it("begins with 100 Continue if the sender waits for it", async () => {
    bench = await PushBench.start();
    const { status, continued } = await bench.pusher.push(bench.image, bench.signed({ expect: true }));
    expect({ status, continued }).deep.equal({ status: 200, continued: true });
    await bench.expectValidated();
  });

  it("of an unsigned image is accepted when the owner has switched that on", async () => {
    bench = await PushBench.start();
    await bench.acceptUnsigned();
    expect((await bench.pusher.push(bench.image, { token: TOKEN })).status).equal(200);
    await bench.expectValidated();
  });

  it("of an unsigned image is accepted on port 80, too, at any pace, beside the pages", async () => {
    bench = await PushBench.start();
    await bench.acceptUnsigned();
    const stalled = bench.pusher.begin(bench.image, { token: TOKEN, port: 80, stallAfter: 30_000 });
    await bench.world.runFor(25_000); // longer than a page's request may take
    expect(stalled.over).equal(false);
    const page = await bench.pusher.push(new Uint8Array(), { method: "GET", path: "/api/version", port: 80 });
    expect(page.status).equal(200);
    await bench.world.runFor(100_000);
    expect(stalled.status).equal(408);
    const { status, text } = await bench.pusher.push(bench.image, { token: TOKEN, port: 80, expect: true });
    expect(text).match(/^HTTP\/1\.1 200 .*\r\n\r\nOTA update successful, rebooting\.\.\.\n$/s);
    expect(status).equal(200);
    await bench.expectValidated();
  });

  it("of an unsigned image to port 80 needs the token, and the owner's word", async () => {
    bench = await PushBench.start();
    for (const [more, expected] of [
      [{}, 401],
      [{ token: "another" }, 403],
      [{ token: TOKEN }, 403],
    ] as const)
      expect((await bench.pusher.push(bench.image, { ...more, port: 80 })).status).equal(expected);
    await bench.expectOldFirmware();
  });

  it("ends validated even without a server", async () => {
    let isGone = false;
    bench = await PushBench.start({
      lie: async (request, honest) => (isGone ? { status: 503 } : nothingNew(request, honest)),
    });
    isGone = true;
    expect((await bench.pusher.push(bench.image, bench.signed())).status).equal(200);
    const { device, world } = bench;
    await world.runFor(60_000);
    device.powerOff();
    device.powerOn();
    await world.runFor(1_000);
    expect(device.running?.label).equal("ota_0");
    expect(device.machine?.nvs?.get("skyslot", "install").error).equal("ESP_ERR_NVS_NOT_FOUND");
  });

  for (const leaveAfter of [10, 50_000]) {
    it(`whose sender disconnects after ${leaveAfter} bytes arms nothing, and another can follow`, async () => {
      bench = await PushBench.start();
      await bench.pusher.push(bench.image, bench.signed({ leaveAfter }));
      await bench.expectOldFirmware();
      await bench.atHome(bench.rig.checks.length + 1);
      expect((await bench.pusher.push(bench.image, bench.signed())).status).equal(200);
      await bench.expectValidated();
    });
  }

  it("that stalls is given up after four times 30 seconds", async () => {
    bench = await PushBench.start();
    const begun = bench.world.nowMs;
    const { status, text } = await bench.pusher.push(bench.image, bench.signed({ stallAfter: 30_000 }));
    expect(text).match(/no byte for 30 s, 4 times in a row, at byte 30000 of/);
    expect(status).equal(408);
    expect(bench.world.nowMs - begun).within(120_000, 125_000);
    await bench.expectOldFirmware();
  });

  /** Pushes while the power fails before a flash operation; counts the operations until the device restarts. */
  async function pushWithCut(cutBefore: number): Promise<{ operations: number; status: number }> {
    bench = await PushBench.start();
    const { device, world } = bench;
    let operations = 0;
    device.flash.onOperation = (_, when) => {
      if (when !== "before" || operations++ !== cutBefore) return;
      device.flash.cutPower();
      throw new PowerCut(`operation ${cutBefore}`);
    };
    const exchange = bench.pusher.begin(bench.image, bench.signed());
    await world.runUntil(() => !device.isPowered || device.bootCount > 1, { limitMs: 60_000 });
    return { operations, status: exchange.status };
  }

  it("that a power cut ends before every fifth flash operation leaves a device that can be pushed to", async function () {
    this.timeout(120_000);
    const { operations } = await pushWithCut(-1);
    expect(operations).above(60);
    await bench.close();
    let oldCount = 0;
    for (let operation = 0; operation < operations; operation += operation < operations - 10 ? 5 : 1) {
      await pushWithCut(operation);
      const where = `cut before operation ${operation}`;
      expect(bench.device.isPowered, where).equal(false);
      bench.device.powerOn();
      await bench.world.runFor(1_000);
      if (bench.device.running?.label === "factory") oldCount++;
      await bench.atHome(bench.rig.checks.length + 1);
      if (bench.rig.checks.at(-1)?.current_version === "1.0.0") {
        expect((await bench.pusher.push(bench.image, bench.signed())).status, where).equal(200);
      }
      await bench.expectValidated();
      await bench.close();
    }
    expect(oldCount).above(10);
    bench = await PushBench.start();
  });

  it("from a page of the device is allowed by a preflight, from another page not", async () => {
    bench = await PushBench.start();
    const ask = (origin: string) =>
      bench.pusher.push(new Uint8Array(0), { method: "OPTIONS", headers: { origin }, length: undefined });
    const own = await ask(`http://${bench.address}`);
    expect(own.status).equal(204);
    expect(own.text).include(`access-control-allow-origin: http://${bench.address}\r\n`);
    const strange = await ask("http://evil.example");
    expect(strange.status).equal(403);
    expect(strange.text).not.include("access-control-allow-origin");
  });
});
