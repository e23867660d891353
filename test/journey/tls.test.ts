// A device and its update server by https, with certificates of a private authority, good and bad. Real TLS: host-sim/network/tls-engine.ts.

import { expect } from "chai";
import { HOME, OWNER_TOKEN } from "../../host-sim/desk/desk.js";
import { buildFirmwareImage, extractBundle } from "../../host-sim/hardware/image/app-image.js";
import { compileTime } from "../../host-sim/image-build/compile-time.js";
import { Phone } from "../../host-sim/network/phone.js";
import type { TlsIdentity } from "../../host-sim/network/tls-stream.js";
import { type Authority, makeAuthority } from "./authority.js";
import { imageOf, type Rig, type RigOptions, START_TIME, setUpRig } from "./rig.js";

const HOST = "updates.skyslot.test";
const SERVER = `https://${HOST}:8443`;
const compileDate = (seconds: number) => compileTime({ SOURCE_DATE_EPOCH: `${seconds}` }).date;
const HOUR_MS = 3_600_000;

describe("an update server by https", () => {
  let rig: Rig;
  let authority: Authority;
  before(() => {
    authority = makeAuthority(START_TIME);
  });
  afterEach(() => rig.close());

  async function start(
    options: Omit<RigOptions, "tls"> & { readonly tls?: TlsIdentity | undefined } = {},
  ): Promise<void> {
    const config = { server: SERVER, authorities: [authority.certificate] };
    rig = await setUpRig({
      image: await imageOf("base", "1.0.0", "esp32", config),
      update: await imageOf("base", "1.1.0", "esp32", config),
      serverUrl: SERVER,
      tls: authority.serverFor(HOST),
      ...(options as RigOptions),
    });
    rig.desk.device.powerOn();
  }
  const run = (until: () => boolean, limitMs = HOUR_MS) => rig.desk.world.runUntil(until, { limitMs });
  const succeeded = () => rig.reports.some(({ status }) => status === "success");

  const told = (text: string) => rig.trace.filter((line) => line.includes(text)).length;
  /** Until the first check has failed. */
  async function refusal(): Promise<string> {
    await run(() => told("update check failed") > 0);
    return rig.trace.find((line) => line.includes("update check failed")) ?? rig.trace.join("\n");
  }

  it("is set up, asked, and updates the device", async () => {
    await start();
    expect(await run(succeeded), rig.trace.join("\n")).equal(true);
    expect(rig.running()).equal("1.1.0 ota_0");
  });

  it("with another host's certificate is TLS_WRONG_HOST", async () => {
    await start({ tls: authority.serverFor("other.skyslot.test") });
    expect(await refusal()).include(`TLS_WRONG_HOST: ${HOST} has a certificate for another name`);
    expect(rig.checks, "nothing was said to it").deep.equal([]);
  });

  it("by an authority that the device does not know is TLS_UNTRUSTED, also when it has the same name", async () => {
    await start({ tls: makeAuthority(START_TIME).serverFor(HOST) });
    expect(await refusal()).include("TLS_UNTRUSTED");
    expect(rig.checks).deep.equal([]);
  });

  it("whose certificate had expired before the firmware was built is TLS_EXPIRED", async () => {
    const image = await imageOf("base", "1.0.0", "esp32", {
      server: SERVER,
      authorities: [authority.certificate],
    });
    const dated = buildFirmwareImage({
      chip: "esp32",
      version: "1.0.0",
      project: "base",
      bundle: extractBundle(image)!,
      date: compileDate(START_TIME),
    });
    await start({ image: dated, tls: authority.serverFor(HOST, [-100, -3]) });
    expect(await refusal()).include("TLS_EXPIRED");
    expect(rig.checks).deep.equal([]);
  });

  it("whose certificate begins tomorrow is TLS_NOT_YET_VALID by the time that it has said, and good again at the next try", async () => {
    const tls = { ...authority.serverFor(HOST) };
    await start({ tls, update: await imageOf("base", "1.0.0") });
    await run(() => rig.checks.length > 0);
    Object.assign(tls, authority.serverFor(HOST, [1, 90]));
    expect(await refusal()).include("TLS_NOT_YET_VALID");
    const count = rig.checks.length;
    expect(await run(() => rig.checks.length > count), "without a time it cannot be told").equal(true);
  });

  it("by the owner's own authority is asked as soon as the owner has given the device that; until then its page says why not", async () => {
    const image = await imageOf("base", "1.0.0", "esp32", { server: SERVER }); // trusts the public ones
    await start({ image });
    expect(await refusal()).include("TLS_UNTRUSTED");
    const { world, network } = rig.desk;
    const address = rig.trace.join("\n").match(/address (\d+\.\d+\.\d+\.\d+)/)![1]!;
    const phone = new Phone({ world, network, name: "phone", mac: "02:00:00:00:00:77" });
    const settled = async <T>(promise: Promise<T>): Promise<T> => {
      let isOver = false;
      const over = () => {
        isOver = true;
      };
      promise.then(over, over);
      await run(() => isOver, 60_000);
      return promise;
    };
    await settled(phone.join(HOME.ssid, HOME.password));
    const health = async () => JSON.parse((await settled(phone.get("/api/health", address))).text);
    const { status, problems } = await health();
    expect(status).equal("degraded");
    expect(problems).deep.equal([
      {
        code: "TLS_UNTRUSTED",
        message: `${HOST} has a certificate that is not signed by an authority that this device trusts: give the device that authority, in its build or on its page.`,
      },
    ]);
    const headers = { "content-type": "application/json", authorization: `Bearer ${OWNER_TOKEN}` };
    const change = JSON.stringify({ authority: authority.certificate });
    const changed = await settled(phone.post("/api/settings", change, address, { headers }));
    expect(JSON.parse(changed.text)).include({ hasAuthority: true, server: SERVER });
    expect(await run(() => rig.checks.length > 0)).equal(true);
    await rig.desk.world.runFor(1_000);
    expect((await health()).problems).deep.equal([]);
  });

  it("by the owner's own authority, given in the setup network, is asked from the first check on, and updates the device", async () => {
    const config = { server: SERVER };
    await start({
      image: await imageOf("base", "1.0.0", "esp32", config),
      update: await imageOf("base", "1.1.0", "esp32", config),
      authority: authority.certificate,
    });
    expect(await run(succeeded), rig.trace.join("\n")).equal(true);
    expect(rig.running()).equal("1.1.0 ota_0");
    expect(told("TLS_"), "no connection has failed").equal(0);
  });

  it("is not asked while a handshake has too little memory, which is TLS_NO_MEMORY; with more the device updates itself", async () => {
    await start();
    const { device } = rig.desk;
    const failures = () => told(`TLS_NO_MEMORY: ${HOST} was not asked`);
    // for the session, for the authority, for the handshake and its stack
    for (const [count, freeHeapBytes] of [20_000, 29_000, 40_000].entries()) {
      device.surroundWith({ freeHeapBytes });
      expect(await run(() => failures() > count), `${freeHeapBytes} bytes`).equal(true);
    }
    expect(rig.checks, "nothing was said to it").deep.equal([]);
    device.surroundWith({ freeHeapBytes: 60_000 });
    expect(await run(() => told("updating to 1.1.0") > 0)).equal(true);
    device.surroundWith({ freeHeapBytes: 0 });
    expect(await run(() => failures() > 3), "the image's connection").equal(true);
    device.surroundWith({ freeHeapBytes: 60_000 });
    expect(await run(succeeded), rig.trace.join("\n")).equal(true);
    expect(rig.running()).equal("1.1.0 ota_0");
    expect(rig.reports.map(({ status }) => status)).not.include("failed");
  });

  it("that shares no suite, or no version of TLS, with the device is TLS_REFUSED", async () => {
    await start({ tls: { ...authority.serverFor(HOST), ciphers: "AES128-GCM-SHA256" } });
    expect(await refusal()).include(`TLS_REFUSED: ${HOST} has refused the TLS connection (alert 40)`);
    await rig.close();
    const newer = { minVersion: "TLSv1.3", maxVersion: "TLSv1.3" } as const;
    await start({ tls: { ...authority.serverFor(HOST), ...newer } });
    expect(await refusal())
      .include("TLS_REFUSED")
      .and.include("(alert 70)");
  });

  it("whose bytes somebody changes on the way is TLS_FAILED, in the handshake and behind it", async () => {
    for (const position of [40, 1_000]) {
      await start({ policyOf: () => ({ flipBitAt: position }) });
      expect(await refusal(), `${position}`).include("TLS_FAILED");
      expect(rig.desk.device.running?.label).equal("factory");
      if (position === 40) await rig.close();
    }
  });
});
