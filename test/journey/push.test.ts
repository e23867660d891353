import { expect } from "chai";
import { PowerCut } from "../../host-sim/hardware/flash.js";
import { Pusher, type PushOptions } from "./pusher.js";
import { imageOf, type Lie, type Rig, readJson, releaseOf, setUpRig, writeJson } from "./rig.js";

const HOUR_MS = 3_600_000;
const TOKEN = "let me in, please";
const CONFIG = { pushToken: TOKEN };

/** A server that has nothing new. */
const nothingNew: Lie = async ({ path }, honest) => {
  const answer = await honest();
  if (path !== "/api/ota/check" || answer.status !== 200) return answer;
  return { ...answer, body: writeJson({ update_available: false, time: readJson(answer.body!).time }) };
};

describe("a push", () => {
  let rig: Rig;
  let pusher: Pusher;
  let image: Uint8Array;
  let release: string;
  afterEach(() => rig.close());

  /** A device at home with its first firmware. */
  async function start(options: Parameters<typeof setUpRig>[0] = {}, config: object = CONFIG): Promise<void> {
    image = await imageOf("base", "1.1.0", "esp32", CONFIG);
    release = await releaseOf(image);
    rig = await setUpRig({
      lie: nothingNew,
      image: await imageOf("base", "1.0.0", "esp32", config),
      ...options,
    });
    pusher = new Pusher(rig.desk, () => (rig.checks.at(-1) as unknown as { address: string }).address);
    rig.desk.device.powerOn();
    await atHome(1);
  }

  async function atHome(count: number): Promise<void> {
    expect(await rig.desk.world.runUntil(() => rig.checks.length >= count, { limitMs: HOUR_MS })).equal(true);
    await rig.desk.world.runFor(1_000);
  }

  async function acceptUnsigned(): Promise<void> {
    const { device } = rig.desk;
    expect(device.machine?.nvs?.set("skyslot", "push.unsigned", "str", "1")).equal("ESP_OK");
    device.powerOff();
    device.powerOn();
    await atHome(rig.checks.length + 1);
  }

  const signed = (more: PushOptions = {}): PushOptions => ({
    token: TOKEN,
    ...more,
    headers: { "x-skyslot-release": release, ...more.headers },
  });

  const erasedSectors = () => {
    const slot = rig.desk.device.partitions.find(({ label }) => label === "ota_0");
    return slot
      ? Array.from({ length: 512 }, (_, i) => i + slot.offset / 4096).filter(
          (sector) => rig.desk.device.flash.eraseCountOf(sector) > 0,
        ).length
      : -1;
  };

  /** It runs, and nothing else can be booted. */
  async function expectOldFirmware(): Promise<void> {
    const { device, world } = rig.desk;
    await world.runFor(40_000);
    expect(device.running?.label).equal("factory");
    device.powerOff();
    device.powerOn();
    await world.runFor(1_000);
    expect(device.running?.label).equal("factory");
  }

  async function expectValidated(): Promise<void> {
    const isValidated = () => {
      const { current_version, slot_state } = rig.checks.at(-1) ?? {};
      return current_version === "1.1.0" && slot_state === "valid";
    };
    expect(await rig.desk.world.runUntil(isValidated, { limitMs: HOUR_MS })).equal(true);
    expect(rig.desk.device.running?.label).equal("ota_0");
    expect(rig.desk.device.machine?.nvs?.get("skyslot", "install").error).equal("ESP_ERR_NVS_NOT_FOUND");
    expect(rig.reports).deep.equal([]);
  }

  it("of a signed image is answered, then restarts the device, and ends validated", async () => {
    await start();
    const { status, text } = await pusher.push(image, signed());
    expect(text).match(/"ok":true,"version":"1\.1\.0","build":0,"slot":"ota_0"/);
    expect(status).equal(200);
    expect(rig.desk.device.bootCount).equal(1);
    await rig.desk.world.runFor(1_500);
    expect(rig.desk.device.bootCount).equal(2);
    await expectValidated();
  });

  it("begins with 100 Continue if the sender waits for it", async () => {
    await start();
    const { status, continued } = await pusher.push(image, signed({ expect: true }));
    expect({ status, continued }).deep.equal({ status: 200, continued: true });
    await expectValidated();
  });

  it("of an unsigned image is taken when the owner has switched that on", async () => {
    await start();
    await acceptUnsigned();
    expect((await pusher.push(image, { token: TOKEN })).status).equal(200);
    await expectValidated();
  });

  const refusals: readonly (readonly [string, number, RegExp, () => Promise<[Uint8Array, PushOptions]>])[] = [
    [
      "without credentials",
      401,
      /is missing/,
      async () => [image, { headers: { "x-skyslot-release": release } }],
    ],
    [
      "with a wrong token",
      403,
      /not the push token/,
      async () => [image, signed({ token: "let me in, pleasf" })],
    ],
    ["without a length", 411, /Content-Length/, async () => [image, signed({ length: undefined })]],
    [
      "that is chunked",
      411,
      /Content-Length/,
      async () => [image, signed({ headers: { "transfer-encoding": "chunked" } })],
    ],
    [
      "that is too large",
      413,
      /image is 2097153 bytes, slot is 2097152/,
      async () => [image, signed({ length: 0x200001, stallAfter: 5_000 })],
    ],
    [
      "without a signature",
      403,
      /unsigned local updates are switched off/,
      async () => [image, { token: TOKEN }],
    ],
    [
      "with a release that was changed",
      422,
      /does not fit/,
      async () => [
        image,
        signed({ headers: { "x-skyslot-release": `${release.slice(0, -20)}A${release.slice(-19)}` } }),
      ],
    ],
    [
      "with a release of another length",
      422,
      /body is \d+ bytes, its release says/,
      async () => [image.subarray(16), signed()],
    ],
    [
      "with the version that runs",
      422,
      /not newer/,
      async () => {
        const same = await imageOf("base", "1.0.0", "esp32", CONFIG);
        return [same, signed({ headers: { "x-skyslot-release": await releaseOf(same) } })];
      },
    ],
    ["to another path", 404, /\/update/, async () => [image, signed({ path: "/" })]],
    ["by another method", 405, /POST/, async () => [image, signed({ method: "PUT" })]],
  ];

  for (const [what, status, message, make] of refusals) {
    it(`${what} is refused before a sector is erased`, async () => {
      await start();
      const [body, options] = await make();
      const exchange = await pusher.push(body, options);
      expect(exchange.text).match(message);
      expect(exchange.status).equal(status);
      expect(erasedSectors()).equal(0);
      await expectOldFirmware();
    });
  }

  it("ends validated also where there is no server any more", async () => {
    let isGone = false;
    await start({ lie: async (request, honest) => (isGone ? { status: 503 } : nothingNew(request, honest)) });
    isGone = true;
    expect((await pusher.push(image, signed())).status).equal(200);
    const { device, world } = rig.desk;
    await world.runFor(60_000);
    device.powerOff();
    device.powerOn();
    await world.runFor(1_000);
    expect(device.running?.label).equal("ota_0");
    expect(device.machine?.nvs?.get("skyslot", "install").error).equal("ESP_ERR_NVS_NOT_FOUND");
  });

  it("is refused when no token is set", async () => {
    await start({}, {});
    const { device } = rig.desk;
    expect(device.machine?.nvs?.erase("skyslot", "push.token")).equal("ESP_OK");
    device.powerOff();
    device.powerOn();
    await atHome(rig.checks.length + 1);
    const { status, text } = await pusher.push(image, signed());
    expect(text).match(/push is off/);
    expect(status).equal(403);
    await expectOldFirmware();
  });

  it("of another chip's image writes no more than the first sector", async () => {
    await start();
    await acceptUnsigned();
    const other = await imageOf("base", "1.1.0", "esp32c3", CONFIG);
    const { status, text } = await pusher.push(other, { token: TOKEN });
    expect(text).match(/image is for chip esp32c3/);
    expect(status).equal(422);
    expect(erasedSectors()).at.most(1);
    await expectOldFirmware();
  });

  it("of something that is no image writes no more than the first sector", async () => {
    await start();
    await acceptUnsigned();
    const { status, text } = await pusher.push(new Uint8Array(100_000).fill(0x42), { token: TOKEN });
    expect(text).match(/first byte is 0x42/);
    expect(status).equal(422);
    expect(erasedSectors()).at.most(1);
    await expectOldFirmware();
  });

  it("of an image that is not what was signed is refused", async () => {
    await start();
    const changed = image.slice();
    changed[40_000]! ^= 1;
    const { status, text } = await pusher.push(changed, signed());
    expect(text).match(/bytes 32768 to 49151 do not have the digest/);
    expect(status).equal(422);
    await expectOldFirmware();
  });

  it("of an unsigned image with a wrong byte is refused", async () => {
    await start();
    await acceptUnsigned();
    const changed = image.slice();
    changed[40_000]! ^= 1;
    const { status } = await pusher.push(changed, { token: TOKEN });
    expect(status).equal(422);
    await expectOldFirmware();
  });

  for (const leaveAfter of [10, 50_000]) {
    it(`whose sender goes away after ${leaveAfter} bytes arms nothing, and another can follow`, async () => {
      await start();
      await pusher.push(image, signed({ leaveAfter }));
      await expectOldFirmware();
      await atHome(rig.checks.length + 1);
      expect((await pusher.push(image, signed())).status).equal(200);
      await expectValidated();
    });
  }

  it("that stalls is given up after four times 30 seconds", async () => {
    await start();
    const begun = rig.desk.world.nowMs;
    const { status, text } = await pusher.push(image, signed({ stallAfter: 30_000 }));
    expect(text).match(/no byte for 30 s, 4 times in a row, at byte 30000 of/);
    expect(status).equal(408);
    expect(rig.desk.world.nowMs - begun).within(120_000, 125_000);
    await expectOldFirmware();
  });

  it("is refused while another one is under way, which is not disturbed", async () => {
    await start();
    const first = pusher.begin(image, signed());
    await rig.desk.world.runUntil(() => first.sentBytes > 20_000, { limitMs: HOUR_MS });
    const { status, text } = await pusher.push(image, signed());
    expect(text).match(/another update is under way/);
    expect(status).equal(409);
    await rig.desk.world.runUntil(() => first.over, { limitMs: HOUR_MS });
    expect(first.status).equal(200);
    await expectValidated();
  });

  it("is refused while a pull is under way", async () => {
    await start({
      lie: (_, honest) => honest(),
      update: await imageOf("base", "1.2.0"),
      downloadPolicy: () => ({ stallAfterBytes: 20_000 }),
    });
    await rig.desk.world.runFor(2_000);
    expect((await pusher.push(image, signed())).status).equal(409);
  });

  it("is refused during the trial run", async () => {
    await start();
    await pusher.push(image, signed());
    await atHome(rig.checks.length + 1);
    expect(rig.checks.at(-1)?.slot_state).equal("pending_verify");
    const { status, text } = await pusher.push(image, signed());
    expect(text).match(/trial run/);
    expect(status).equal(409);
    await expectValidated();
  });

  /** Pushes while the power fails before a flash operation; counts the operations until the device restarts. */
  async function pushWithCut(cutBefore: number): Promise<{ operations: number; status: number }> {
    await start();
    const { device, world } = rig.desk;
    let operations = 0;
    device.flash.onOperation = (_, when) => {
      if (when !== "before" || operations++ !== cutBefore) return;
      device.flash.cutPower();
      throw new PowerCut(`operation ${cutBefore}`);
    };
    const exchange = pusher.begin(image, signed());
    await world.runUntil(() => !device.isPowered || device.bootCount > 1, { limitMs: 60_000 });
    return { operations, status: exchange.status };
  }

  it("that power ends before any fifth flash operation leaves a device that can be pushed to", async function () {
    this.timeout(120_000);
    const { operations } = await pushWithCut(-1);
    expect(operations).above(60);
    await rig.close();
    let oldCount = 0;
    for (let operation = 0; operation < operations; operation += operation < operations - 10 ? 5 : 1) {
      await pushWithCut(operation);
      const where = `cut before operation ${operation}`;
      expect(rig.desk.device.isPowered, where).equal(false);
      rig.desk.device.powerOn();
      await rig.desk.world.runFor(1_000);
      if (rig.desk.device.running?.label === "factory") oldCount++;
      await atHome(rig.checks.length + 1);
      if (rig.checks.at(-1)?.current_version === "1.0.0") {
        expect((await pusher.push(image, signed())).status, where).equal(200);
      }
      await expectValidated();
      await rig.close();
    }
    expect(oldCount).above(10);
    await start();
  });

  it("from a page of the device is allowed by a preflight, from another page not", async () => {
    await start();
    const ask = (origin: string) =>
      pusher.push(new Uint8Array(0), { method: "OPTIONS", headers: { origin }, length: undefined });
    const host = (rig.checks.at(-1) as unknown as { address: string }).address;
    const own = await ask(`http://${host}`);
    expect(own.status).equal(204);
    expect(own.text).include(`access-control-allow-origin: http://${host}\r\n`);
    const strange = await ask("http://evil.example");
    expect(strange.status).equal(403);
    expect(strange.text).not.include("access-control-allow-origin");
  });

  describe("by espota", () => {
    /** A device that takes espota's pushes. */
    async function startOpen(): Promise<void> {
      await start();
      await acceptUnsigned();
    }

    for (const age of ["new", "old"] as const) {
      it(`is fetched from its sender in chunks that are acknowledged, and ends validated (${age} tool)`, async () => {
        await startOpen();
        const { said, acknowledged } = await pusher.espota(image, TOKEN, { age });
        expect(said).equal("OK");
        expect(acknowledged).equal(image.length);
        await expectValidated();
      });

      for (const password of ["", "let me in"]) {
        it(`with ${password ? "a wrong" : "no"} password is refused (${age} tool)`, async () => {
          await startOpen();
          expect((await pusher.espota(image, password, { age })).said).equal("Authentication Failed");
          expect(erasedSectors()).equal(0);
          await expectOldFirmware();
        });
      }
    }

    it("is not answered while unsigned updates are switched off", async () => {
      await start();
      expect((await pusher.espota(image, TOKEN)).said).equal("no answer");
      expect(erasedSectors()).equal(0);
      await expectOldFirmware();
    });

    it("that is too large is refused", async () => {
      await startOpen();
      expect((await pusher.espota(new Uint8Array(0x200001), TOKEN)).said).equal(
        "ERROR: image is 2097153 bytes, slot is 2097152",
      );
      expect(erasedSectors()).equal(0);
      await expectOldFirmware();
    });

    it("with another chip's image is refused in the first sector", async () => {
      await startOpen();
      const other = await imageOf("base", "1.1.0", "esp32c3", CONFIG);
      expect((await pusher.espota(other, TOKEN)).said).equal(
        "ERROR: image is for chip esp32c3, this device has esp32",
      );
      expect(erasedSectors()).at.most(1);
      await expectOldFirmware();
    });

    it("with an MD5 that does not fit is refused", async () => {
      await startOpen();
      expect((await pusher.espota(image, TOKEN, { md5: "0".repeat(32) })).said).match(/^ERROR: .*MD5/);
      await expectOldFirmware();
    });

    for (const leaveAfter of [1, 50_000]) {
      it(`whose sender goes away after ${leaveAfter} bytes arms nothing, and another can follow`, async () => {
        await startOpen();
        expect((await pusher.espota(image, TOKEN, { leaveAfter })).said).equal("left");
        await expectOldFirmware();
        await atHome(rig.checks.length + 1);
        expect((await pusher.espota(image, TOKEN)).said).equal("OK");
        await expectValidated();
      });
    }

    it("is refused while another one is under way, which is not disturbed", async () => {
      await startOpen();
      const first = pusher.beginEspota(image, TOKEN);
      await rig.desk.world.runUntil(() => first.acknowledged > 20_000, { limitMs: HOUR_MS });
      expect((await pusher.espota(image, TOKEN)).said).equal(
        "ERROR: another update is under way (streaming)",
      );
      expect((await pusher.push(image, signed())).status).equal(409);
      await rig.desk.world.runUntil(() => first.over, { limitMs: HOUR_MS });
      expect(first.said).equal("OK");
      await expectValidated();
    });
  });
});
