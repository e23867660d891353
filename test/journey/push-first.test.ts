// A push of the owner comes before a download, however that goes. The kind: what a person decides at the device is not held up by what a server
// does or fails to do. The given input is a host that sends a byte every 25 s; the others refuse, stall and send at a modem's speed.

import { expect } from "chai";
import type { LinkPolicy } from "../../host-sim/network/link-policy.js";
import { HOUR_MS, PushBench, TOKEN } from "./push-bench.js";
import { imageOf, releaseOf } from "./rig.js";

const SLOW_HOSTS: Readonly<Record<string, LinkPolicy>> = {
  "sends a byte every 25 s": { pieceBytesMax: 1, bytesPerSecond: 0.04 },
  "sends 500 bytes a second": { bytesPerSecond: 500 },
  "stalls after 20 000 bytes": { stallAfterBytes: 20_000 },
  "refuses connections": { refuse: true },
  "swallows connections": { ignore: true },
};

describe("a push during a download", () => {
  let bench: PushBench;
  afterEach(() => bench.close());

  /** A device in whose server a release waits that comes from a host with this link; its download has begun. */
  async function downloading(policy: LinkPolicy): Promise<void> {
    bench = await PushBench.start({
      update: await imageOf("base", "1.2.0"),
      lie: (_request, honest) => honest(),
      downloadPolicy: () => policy,
    });
    const hasBegun = () => bench.rig.reports.some(({ step }) => step === "verified");
    expect(await bench.world.runUntil(hasBegun, { limitMs: HOUR_MS })).equal(true);
    await bench.world.runFor(5_000);
  }

  for (const [what, policy] of Object.entries(SLOW_HOSTS)) {
    it(`from a host that ${what} takes its place, and is validated`, async () => {
      await downloading(policy);
      const exchange = await bench.pusher.push(bench.image, bench.signed());
      expect(exchange.text).match(/\r\n\r\nOTA update successful/);
      expect(exchange.status).equal(200);
      const isValidated = () =>
        bench.rig.checks.some(
          ({ current_version, slot_state }) => current_version === "1.1.0" && slot_state === "valid",
        );
      expect(await bench.world.runUntil(isValidated, { limitMs: HOUR_MS })).equal(true);
      const failed = bench.rig.reports.filter(({ error_code }) => error_code === "ROLLED_BACK");
      expect(failed).deep.equal([]);
    });
  }

  it("takes its place by espota too", async () => {
    await downloading({ bytesPerSecond: 500 });
    await bench.acceptUnsigned();
    await bench.world.runFor(10_000);
    expect((await bench.pusher.espota(bench.image, TOKEN)).said).match(/OK$/);
  });

  it("that is refused or broken off does not keep the download from its end", async () => {
    await downloading({ bytesPerSecond: 20_000 });
    const other = await releaseOf(await imageOf("base", "1.3.0"), { type: "led" });
    const refused = await bench.pusher.push(bench.image, {
      token: TOKEN,
      headers: { "x-skyslot-release": other },
    });
    expect(refused.status).equal(422);
    await bench.world.runFor(130_000);
    await bench.pusher.push(bench.image, bench.signed({ leaveAfter: 30_000 }));
    const isValidated = () => bench.rig.reports.some(({ status }) => status === "success");
    expect(await bench.world.runUntil(isValidated, { limitMs: HOUR_MS })).equal(true);
    expect(bench.rig.checks.at(-1)).include({ current_version: "1.2.0" });
  });

  it("is no one's without the token: the download goes on", async () => {
    await downloading({ bytesPerSecond: 20_000 });
    for (const token of ["wrong token", ""])
      expect((await bench.pusher.push(bench.image, bench.signed({ token }))).status).within(401, 403);
    const isValidated = () => bench.rig.reports.some(({ status }) => status === "success");
    expect(await bench.world.runUntil(isValidated, { limitMs: HOUR_MS })).equal(true);
    expect(bench.rig.trace.join("\n")).not.match(/because an image is pushed/);
  });
});
