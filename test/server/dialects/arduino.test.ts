import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import { expect } from "chai";
import { arduinoImage, LegacyServer } from "./legacy-server.js";

const MAC = "24:6f:28:aa:bb:cc";
const ID = MAC.toUpperCase();
const MINUTE_MS = 60_000;

describe("the HTTPUpdate client of Arduino", () => {
  let legacy: LegacyServer;
  const image = arduinoImage("b");
  const ask = (headers: Record<string, string> = {}) =>
    legacy.server.app.inject({
      url: "/api/arduino/sketch",
      headers: {
        "user-agent": "ESP32-http-Update",
        "x-esp32-sta-mac": MAC,
        "x-esp32-free-space": "1310720",
        "x-esp32-sketch-sha256": "1".repeat(64),
        "x-esp32-mode": "sketch",
        "x-esp32-version": "1.0.0",
        ...headers,
      },
    });
  /** An ESP8266 knows the MD5 of its sketch only. */
  const ask8266 = (headers: Record<string, string> = {}) =>
    legacy.server.app.inject({
      url: "/api/arduino/sketch",
      headers: {
        "user-agent": "ESP8266-http-Update",
        "x-esp8266-sta-mac": MAC,
        "x-esp8266-mode": "sketch",
        "x-esp8266-sketch-md5": "1".repeat(32),
        ...headers,
      },
    });
  const lastAttempt = () => legacy.server.lastAttempt();
  /** The server notes what it has sent when it has sent it. */
  const sent = async () => {
    while ((await lastAttempt()).step === "sending") await new Promise(setImmediate);
    expect(await lastAttempt()).to.include({ status: "downloading", step: "sent" });
  };
  const device = async () => (await legacy.server.admin("GET", `/api/devices/${ID}`)).json();

  beforeEach(async () => {
    legacy = await LegacyServer.open("sketch");
  });
  afterEach(() => legacy.close());

  it("gets 304 while there is nothing new", async () => {
    const answer = await ask();
    expect(answer.statusCode).to.equal(304);
    expect(answer.rawPayload).to.have.length(0);
  });

  it("gets the image with its length and MD5, and is known from then on", async () => {
    const { md5 } = (await legacy.upload(image)).json();
    const answer = await ask();
    expect(answer.statusCode).to.equal(200);
    expect(answer.headers).to.include({ "x-md5": md5, "content-length": `${image.length}` });
    expect(answer.rawPayload.equals(image)).to.equal(true);
    await sent();
    expect(await lastAttempt()).to.include({ device_id: ID, bytes_downloaded: image.length });
  });

  it("gets answers that no cache keeps: another device would get them", async () => {
    expect((await ask()).headers["cache-control"]).to.equal("no-store");
    await legacy.upload(image);
    expect((await ask()).headers).to.include({ "cache-control": "no-store", "x-accel-buffering": "no" });
  });

  it("has succeeded when the new image's hash runs", async () => {
    const { image_sha256 } = (await legacy.upload(image)).json();
    await ask();
    const after = await ask({
      "x-esp32-sketch-sha256": image_sha256.toUpperCase(),
      "x-esp32-version": "1.2.0",
    });
    expect(after.statusCode).to.equal(304);
    expect(await lastAttempt()).to.include({ status: "success", step: "validated" });
  });

  it("gets the reason why there is no update for it", async () => {
    await legacy.upload(image);
    expect((await ask({ "x-esp32-sta-mac": "" })).json().error).to.equal("INVALID_REQUEST");
    await legacy.setKind("signed");
    expect((await ask()).json().error).to.equal("TYPE_IS_SIGNED");
  });

  for (const mode of ["spiffs", "littlefs", "fatfs", "flashfs", "SPIFFS", "filesystem"])
    it(`gets no firmware when it asks for ${mode}`, async () => {
      await legacy.upload(image);
      for (const answer of [
        await ask({ "x-esp32-mode": mode }),
        await ask8266({ "x-esp8266-mode": mode }),
        await legacy.server.app.inject({
          url: "/api/arduino/sketch",
          headers: { "x-esp32-sta-mac": MAC, "x-esp8266-mode": mode },
        }),
      ]) {
        expect(answer.statusCode).to.equal(404);
        expect(answer.json().message).to.include(mode.toLowerCase());
      }
      expect(await lastAttempt()).to.deep.equal({});
    });

  for (const mode of ["sketch", "Sketch", ""])
    it(`gets firmware in mode "${mode}"`, async () => {
      await legacy.upload(image);
      expect((await ask({ "x-esp32-mode": mode })).statusCode).to.equal(200);
    });

  describe("whose version says little", () => {
    for (const version of ["", "my lamp 2", "1.0.0 (beta)", "größer", "1".repeat(80), "v1.2.0"])
      it(`is not sent what it runs again if it says "${version}"`, async () => {
        const { image_sha256, md5 } = (await legacy.upload(image)).json();
        const says = { "x-esp32-version": version };
        expect((await ask(says)).statusCode).to.equal(version === "v1.2.0" ? 304 : 200);
        const byHash = { ...says, "x-esp32-sketch-sha256": image_sha256 };
        expect((await ask(byHash)).statusCode).to.equal(304);
        const byMd5 = { ...says, "x-esp32-sketch-sha256": "", "x-esp32-sketch-md5": md5 };
        expect((await ask(byMd5)).statusCode).to.equal(304);
        expect(await device()).to.include({ current_version: "1.2.0" });
      });

    it("is known by its image, whatever version it has said since it was written", async () => {
      const { image_sha256 } = (await legacy.upload(image)).json();
      await ask();
      expect((await ask({ "x-esp32-sketch-sha256": image_sha256 })).statusCode).to.equal(304);
      expect(await device()).to.include({ current_version: "1.2.0", chip: "esp32" });
      expect(await lastAttempt()).to.include({ status: "success" });
      await legacy.upload(arduinoImage("c"), { version: "1.3.0" });
      expect((await ask({ "x-esp32-sketch-sha256": image_sha256 })).statusCode).to.equal(200);
      await sent();
      expect(await lastAttempt()).to.include({ from_version: "1.2.0" });
    });

    it("runs the one of two releases of the same file that it says", async () => {
      const { image_sha256 } = (await legacy.upload(image)).json();
      await legacy.upload(image, { version: "1.3.0" });
      const says = (version: string) =>
        ask({ "x-esp32-sketch-sha256": image_sha256, "x-esp32-version": version });
      expect((await says("1.2.0")).statusCode).to.equal(304);
      expect(await device()).to.include({ current_version: "1.2.0" });
      await says("0.9");
      expect(await device()).to.include({ current_version: "1.3.0" });
    });

    it("is not sent the build again that it was sent, of which it says the version only", async () => {
      await legacy.upload(image, { build_number: "7" });
      const says = (version: string) =>
        ask({
          "x-esp32-version": version,
          "x-esp32-sketch-sha256": version === "1.2.0" ? "2".repeat(64) : "",
        });
      expect((await says("1.0.0")).statusCode).to.equal(200);
      await sent();
      expect((await says("1.2.0")).statusCode).to.equal(304);
      expect((await says("1.2.0")).statusCode).to.equal(304);
      expect(await device()).to.include({ current_version: "1.2.0", current_build: 7 });
    });

    it("is not refused for hashes and sizes that are none", async () => {
      await legacy.upload(image);
      const answer = await ask({
        "x-esp32-sketch-sha256": "none",
        "x-esp32-sketch-md5": "?",
        "x-esp32-free-space": "plenty",
        "x-esp32-chip-size": "-1",
      });
      expect(answer.statusCode).to.equal(200);
    });
  });

  describe("on an ESP8266", () => {
    const sketch = Buffer.concat([Buffer.from([0xe9, 1, 2, 0x40]), Buffer.alloc(5000, 7)]);

    it("gets its image, and has succeeded when that runs", async () => {
      const { md5 } = (await legacy.upload(sketch)).json();
      expect((await ask8266()).statusCode).to.equal(200);
      await sent();
      expect((await ask8266({ "x-esp8266-sketch-md5": md5 })).statusCode).to.equal(304);
      expect(await lastAttempt()).to.include({ status: "success" });
      expect(await device()).to.include({ current_version: "1.2.0" });
    });

    it("has succeeded by its version where its image was unpacked from what it was sent", async () => {
      await legacy.upload(sketch, { filename: "sketch.bin.gz" });
      await ask8266({ "x-esp8266-version": "1.0.0" });
      await sent();
      const after = await ask8266({
        "x-esp8266-sketch-md5": "2".repeat(32),
        "x-esp8266-version": "1.2.0",
      });
      expect(after.statusCode).to.equal(304);
      expect(await lastAttempt()).to.include({ status: "success", step: "reported" });
    });

    it("gets no image of an ESP32, and an ESP32 none of an ESP8266", async () => {
      await legacy.upload(image);
      expect((await ask8266()).statusCode).to.equal(304);
      await legacy.upload(sketch, { version: "1.3.0" });
      expect((await ask()).rawPayload.equals(image)).to.equal(true);
      expect((await ask8266()).rawPayload.equals(sketch)).to.equal(true);
    });
  });

  it("is of the chip that its type has releases for, once there are some", async () => {
    await ask();
    expect(await device()).to.include({ chip: null });
    await legacy.upload(image);
    await ask();
    expect(await device()).to.include({ chip: "esp32" });
  });

  describe("without room for the image", () => {
    for (const [name, headers] of [
      ["its free space", { "x-esp32-free-space": "1000" }],
      ["its flash", { "x-esp32-free-space": "", "x-esp32-chip-size": "1000" }],
      ["the smaller of both", { "x-esp32-chip-size": "1000" }],
    ] as const)
      it(`is refused by ${name}, and the reason is in the log`, async () => {
        await legacy.upload(image);
        const answer = await ask(headers);
        expect(answer.statusCode).to.equal(403);
        const reason = `image is ${image.length} bytes, the device has room for 1000`;
        expect(answer.json().message).to.equal(reason);
        expect(await lastAttempt()).to.include({
          status: "failed",
          error_code: "IMAGE_TOO_LARGE",
          error_message: reason,
        });
        const { events } = (await legacy.server.admin("GET", "/api/events?kind=update.failed")).json();
        expect(events[0].message).to.include(reason);
      });

    it("waits longer and longer, and gets the image once there is room", async () => {
      await legacy.upload(image);
      let refusedCount = 0;
      for (let minute = 0; minute < 60; minute++) {
        const { statusCode } = await ask({ "x-esp32-free-space": "1000" });
        if (statusCode === 403) refusedCount++;
        legacy.server.nowMs += MINUTE_MS;
      }
      expect(refusedCount).to.be.within(5, 8);
      legacy.server.nowMs += 24 * 60 * MINUTE_MS;
      expect((await ask()).statusCode).to.equal(200);
    });
  });

  describe("that runs the old image again", () => {
    const askEveryMinute = async (minuteCount: number) => {
      let sentCount = 0;
      for (let minute = 0; minute < minuteCount; minute++) {
        if ((await ask()).statusCode === 200) {
          sentCount++;
          await sent();
        }
        legacy.server.nowMs += MINUTE_MS;
      }
      return sentCount;
    };

    it("has failed, and is sent the image a few times only", async () => {
      await legacy.upload(image);
      expect(await askEveryMinute(60)).to.be.within(3, 6);
      const { logs } = (await legacy.server.admin("GET", "/api/ota/admin/logs?status=failed")).json();
      expect(logs[0]).to.include({
        error_code: "NEVER_RAN",
        error_message: `was sent all ${image.length} bytes of sketch 1.2.0, and runs 1.0.0 again`,
      });
      const why = (await legacy.server.admin("GET", `/api/devices/${ID}/why`)).json();
      expect(why.summary).to.include("it is offered again from");
    });

    it("closes the gate of its rollout", async () => {
      const firmware = (await legacy.upload(image, { is_stable: "false" })).json();
      await ask();
      await legacy.startRollout(firmware.id);
      expect(await askEveryMinute(2)).to.equal(1);
      const { rollouts } = (await legacy.server.admin("GET", "/api/rollouts")).json();
      expect(rollouts[0]).to.include({ state: "paused" });
      expect(rollouts[0].reason).to.include("1 of 1 device rolled back");
    });

    it("has succeeded after all when the new one runs later", async () => {
      const { image_sha256 } = (await legacy.upload(image)).json();
      await askEveryMinute(2);
      expect(await lastAttempt()).to.include({ status: "failed", error_code: "NEVER_RAN" });
      legacy.server.nowMs += 10 * MINUTE_MS;
      await ask();
      await ask({ "x-esp32-sketch-sha256": image_sha256 });
      expect(await lastAttempt()).to.include({ status: "success" });
    });

    it("has failed for another reason if the connection broke, and may try again at once", async () => {
      await legacy.upload(image);
      const { app } = legacy.server;
      await app.listen({ port: 0, host: "127.0.0.1" });
      const { port } = app.server.address() as AddressInfo;
      const accepted = once(app.server, "connection") as Promise<[Socket]>;
      const request = `GET /api/arduino/sketch HTTP/1.0\r\nHost: x\r\nx-ESP32-STA-MAC: ${MAC}\r\n\r\n`;
      const client = connect(port, "127.0.0.1", () => client.write(request, () => client.resetAndDestroy()));
      const [connection] = await accepted;
      if (!connection.closed) await once(connection, "close");
      while ((await lastAttempt()).step !== "sending") await new Promise(setImmediate);
      expect((await ask()).statusCode).to.equal(200);
      const { logs } = (await legacy.server.admin("GET", "/api/ota/admin/logs?status=failed")).json();
      expect(logs[0]).to.include({ error_code: "DOWNLOAD_BROKEN" });
    });
  });

  it("can be led back to an older release by a forced rollout", async () => {
    const { image_sha256 } = (await legacy.upload(image, { version: "2.0.0" })).json();
    const older = (await legacy.upload(arduinoImage("a"), { is_stable: "false" })).json();
    const newer = { "x-esp32-sketch-sha256": image_sha256, "x-esp32-version": "2.0.0" };
    await ask(newer);
    await legacy.startRollout(older.id, { force: "any_order" });
    const answer = await ask(newer);
    expect(answer.statusCode).to.equal(200);
    expect(answer.rawPayload.equals(arduinoImage("a"))).to.equal(true);
  });

  it("says more of itself, which is shown", async () => {
    const headers = {
      "x-esp32-chip-size": "4194304",
      "x-esp32-sdk-version": "v5.1.4",
      "x-esp32-sketch-size": "900000",
    };
    await ask(headers);
    expect((await device()).attributes).to.deep.equal({
      chip_size: "4194304",
      free_space: "1310720",
      sdk_version: "v5.1.4",
      sketch_size: "900000",
      version: "1.0.0",
    });
    await ask({ ...headers, "x-esp32-sdk-version": "v5.3.0" });
    expect((await device()).attributes).to.include({ sdk_version: "v5.3.0" });
  });
});
