// Pushes that are refused, and how little was written by then.

import { expect } from "chai";
import { extractBundle } from "../../host-sim/hardware/image/app-image.js";
import { CONFIG, HOUR_MS, PushBench, TOKEN } from "./push-bench.js";
import type { PushOptions } from "./pusher.js";
import { imageOf, rebuilt, releaseOf } from "./rig.js";

describe("a push", () => {
  let bench: PushBench;
  afterEach(() => bench.close());

  const refusals: readonly (readonly [string, number, RegExp, () => Promise<[Uint8Array, PushOptions]>])[] = [
    [
      "without credentials",
      401,
      /is missing/,
      async () => [bench.image, { headers: { "x-skyslot-release": bench.release } }],
    ],
    [
      "with a wrong token",
      403,
      /not the push token/,
      async () => [bench.image, bench.signed({ token: "let me in, pleasf" })],
    ],
    [
      "without a length",
      411,
      /Content-Length/,
      async () => [bench.image, bench.signed({ length: undefined })],
    ],
    [
      "that is chunked",
      411,
      /Content-Length/,
      async () => [
        bench.image,
        bench.signed({ length: undefined, headers: { "transfer-encoding": "chunked" } }),
      ],
    ],
    [
      "that is too large",
      413,
      /image is 2097153 bytes, slot is 2097152/,
      async () => [bench.image, bench.signed({ length: 0x200001, stallAfter: 5_000 })],
    ],
    [
      "without a signature",
      403,
      /unsigned local updates are switched off/,
      async () => [bench.image, { token: TOKEN }],
    ],
    [
      "with a release that was changed",
      422,
      /does not match the release/,
      async () => [
        bench.image,
        bench.signed({
          headers: { "x-skyslot-release": `${bench.release.slice(0, -20)}A${bench.release.slice(-19)}` },
        }),
      ],
    ],
    [
      "with a release of another length",
      422,
      /body is \d+ bytes, its release says/,
      async () => [bench.image.subarray(16), bench.signed()],
    ],
    [
      "with the version that runs",
      422,
      /not newer/,
      async () => {
        const same = await imageOf("base", "1.0.0", "esp32", CONFIG);
        return [same, bench.signed({ headers: { "x-skyslot-release": await releaseOf(same) } })];
      },
    ],
    ["to another path", 404, /\/update/, async () => [bench.image, bench.signed({ path: "/" })]],
    ["by another method", 405, /POST/, async () => [bench.image, bench.signed({ method: "PUT" })]],
  ];

  for (const [what, status, message, make] of refusals) {
    it(`${what} is refused before a sector is erased`, async () => {
      bench = await PushBench.start();
      const [body, options] = await make();
      const exchange = await bench.pusher.push(body, options);
      expect(exchange.text).match(message);
      expect(exchange.status).equal(status);
      expect(bench.erasedSectorCount).equal(0);
      await bench.expectOldFirmware();
    });
  }

  it("is refused when no token is set", async () => {
    bench = await PushBench.start({}, {});
    expect(bench.device.machine?.nvs?.erase("skyslot", "push.token")).equal("ESP_OK");
    await bench.powerCycle();
    const { status, text } = await bench.pusher.push(bench.image, bench.signed());
    expect(text).match(/push is off/);
    expect(status).equal(403);
    await bench.expectOldFirmware();
  });

  it("of an image that stores its settings in another way is refused before a sector is erased", async () => {
    bench = await PushBench.start();
    await bench.acceptUnsigned();
    const bundle = extractBundle(bench.image)!;
    const other = await rebuilt("1.1.0", { bundle, nvs: "encrypted" });
    for (const options of [
      { token: TOKEN },
      bench.signed({ headers: { "x-skyslot-release": await releaseOf(other) } }),
      bench.signed({
        headers: { "x-skyslot-release": await releaseOf(other, { nvs: undefined } as object) },
      }),
    ]) {
      const { status, text } = await bench.pusher.push(other, options);
      expect(text).match(/keeps its settings encrypted \(eFuse KEY5\), this firmware plain/);
      expect(status).equal(422);
      expect(bench.erasedSectorCount).equal(0);
    }
    await bench.expectOldFirmware();
  });

  it("of another chip's image is refused before a sector is erased", async () => {
    bench = await PushBench.start();
    await bench.acceptUnsigned();
    const other = await imageOf("base", "1.1.0", "esp32c3", CONFIG);
    const { status, text } = await bench.pusher.push(other, { token: TOKEN });
    expect(text).match(/image is for chip esp32c3/);
    expect(status).equal(422);
    expect(bench.erasedSectorCount).equal(0);
    await bench.expectOldFirmware();
  });

  it("of something that is not an image is refused before a sector is erased", async () => {
    bench = await PushBench.start();
    await bench.acceptUnsigned();
    const { status, text } = await bench.pusher.push(new Uint8Array(100_000).fill(0x42), { token: TOKEN });
    expect(text).match(/first byte is 0x42/);
    expect(status).equal(422);
    expect(bench.erasedSectorCount).equal(0);
    await bench.expectOldFirmware();
  });

  it("of an image that is not what was signed is refused", async () => {
    bench = await PushBench.start();
    const changed = bench.image.slice();
    changed[40_000]! ^= 1;
    const { status, text } = await bench.pusher.push(changed, bench.signed());
    expect(text).match(/bytes of the slot have SHA256 [0-9a-f]{64}, expected is/);
    expect(status).equal(422);
    await bench.expectOldFirmware();
  });

  it("of an unsigned image with a wrong byte is refused", async () => {
    bench = await PushBench.start();
    await bench.acceptUnsigned();
    const changed = bench.image.slice();
    changed[40_000]! ^= 1;
    const { status } = await bench.pusher.push(changed, { token: TOKEN });
    expect(status).equal(422);
    await bench.expectOldFirmware();
  });

  it("is refused during another one, which is not disturbed", async () => {
    bench = await PushBench.start();
    const first = bench.pusher.begin(bench.image, bench.signed());
    await bench.world.runUntil(() => first.sentBytes > 20_000, { limitMs: HOUR_MS });
    const { status, text } = await bench.pusher.push(bench.image, bench.signed());
    expect(text).match(/another update is in progress/);
    expect(status).equal(409);
    await bench.world.runUntil(() => first.over, { limitMs: HOUR_MS });
    expect(first.status).equal(200);
    await bench.expectValidated();
  });

  it("is refused during the trial run", async () => {
    bench = await PushBench.start();
    await bench.pusher.push(bench.image, bench.signed());
    await bench.atHome(bench.rig.checks.length + 1);
    expect(bench.rig.checks.at(-1)?.slot_state).equal("pending_verify");
    const { status, text } = await bench.pusher.push(bench.image, bench.signed());
    expect(text).match(/trial run/);
    expect(status).equal(409);
    await bench.expectValidated();
  });
});
