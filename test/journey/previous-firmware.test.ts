// A device in the field runs the firmware from before there were trust roots, statements of freshness and TLS. It updates by itself into today's, whose
// image has a root, and from there to the next release, which only who holds that root may install.

import { readFileSync } from "node:fs";
import { brotliDecompressSync } from "node:zlib";
import { expect } from "chai";
import type { CheckRequest } from "../../firmware/core/wire.js";
import { buildFirmwareImage } from "../../host-sim/hardware/image/firmware-image.js";
import { FreshnessKey } from "../../server/releases/freshness.js";
import { makeHolder, signRoot } from "./ceremony.js";
import { imageOf, type Rig, readJson, releaseKeys, releaseOf, START_TIME, setUpRig } from "./rig.js";

const HOUR_MS = 3_600_000;
const FIXTURE = new URL("../fixtures/firmware/base-before-trust.js.br", import.meta.url);

describe("a device with the firmware from before trust roots, freshness and TLS", () => {
  let rig: Rig | undefined;
  afterEach(() => rig?.close());

  it("updates into today's firmware, takes its root with it, and then the next release", async () => {
    const holder = makeHolder();
    const online = makeHolder();
    const { x = "", y = "" } = (await releaseKeys()).publicKey;
    const root = signRoot(
      {
        version: 2,
        expires: START_TIME + 31_536_000,
        threshold: 1,
        keys: [holder.point, { x, y }, online.point],
        root: [0],
        release: [1],
        freshness: [2],
        releaseThreshold: 1,
        minSecurityVersion: 0,
      },
      [{ holder, key: 0 }],
    );
    const asked: string[] = [];
    const jwk = JSON.stringify(online.privateKey.export({ format: "jwk" }));
    const current = await setUpRig({
      image: await previousFirmware(),
      update: await imageOf("base", "1.1.0", "esp32", { root }),
      settings: { freshnessKey: await FreshnessKey.read(jwk, "online") },
      lie: (request, honest) => {
        if (request.path === "/api/ota/freshness") asked.push(readJson(request.body).device_id);
        return honest();
      },
    });
    rig = current;
    const checks = current.checks as unknown as readonly CheckRequest[];
    const runs = async (version: string) => {
      const done = () =>
        checks.some((check) => check.current_version === version && check.slot_state === "valid");
      const isDone = await current.desk.world.runUntil(done, { limitMs: HOUR_MS });
      expect(isDone, current.trace.slice(-15).join("\n")).equal(true);
    };
    current.desk.device.powerOn();
    await runs("1.1.0");
    expect(checks[0]).include({ current_version: "1.0.0" }).and.not.have.property("root_version");
    expect(checks.at(-1)).include({ device_id: checks[0]?.device_id, root_version: 2 });

    await current.server.admin("POST", "/api/v1/roots", { root });
    const next = await imageOf("base", "1.2.0", "esp32", { root });
    const options = { format: 3, sequence: START_TIME, minRoot: 2 } as const;
    await current.server.upload(next, await releaseOf(next, {}, options));
    await runs("1.2.0");
    expect(asked).include(checks[0]?.device_id);
    expect(current.reports.filter(({ status }) => status === "failed")).deep.equal([]);
    expect(current.events.filter(({ type }) => type === "uncaught")).deep.equal([]);
  }).timeout(60_000);
});

/** Of test/fixtures/firmware, with the release key of these tests. */
async function previousFirmware(): Promise<Uint8Array> {
  const { kid = "", x = "", y = "" } = (await releaseKeys()).publicKey;
  const bundle = brotliDecompressSync(readFileSync(FIXTURE))
    .toString("utf8")
    .replace("K".repeat(43), kid)
    .replace("X".repeat(43), x)
    .replace("Y".repeat(43), y);
  return buildFirmwareImage({ chip: "esp32", version: "1.0.0", project: "base", bundle });
}
