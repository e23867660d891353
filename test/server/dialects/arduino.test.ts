import { expect } from "chai";
import { arduinoImage, LegacyServer } from "./legacy-server.js";

const MAC = "24:6f:28:aa:bb:cc";

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
    expect(await legacy.server.lastAttempt()).to.include({
      device_id: MAC.toUpperCase(),
      status: "downloading",
    });
  });

  it("has succeeded when the new image's hash runs", async () => {
    const { image_sha256 } = (await legacy.upload(image)).json();
    await ask();
    const after = await ask({
      "x-esp32-sketch-sha256": image_sha256.toUpperCase(),
      "x-esp32-version": "1.2.0",
    });
    expect(after.statusCode).to.equal(304);
    expect(await legacy.server.lastAttempt()).to.include({ status: "success", step: "validated" });
  });

  it("gets the reason why there is no update for it", async () => {
    await legacy.upload(image);
    const small = await ask({ "x-esp32-free-space": "1000" });
    expect(small.statusCode).to.equal(403);
    expect(small.json().message).to.include(`${image.length}`).and.include("1000");
    expect((await ask({ "x-esp32-sta-mac": "" })).json().error).to.equal("INVALID_REQUEST");
    await legacy.setKind("signed");
    expect((await ask()).json().error).to.equal("TYPE_IS_SIGNED");
  });

  it("may be an ESP8266", async () => {
    await legacy.upload(image);
    const answer = await legacy.server.app.inject({
      url: "/api/arduino/sketch",
      headers: { "x-esp8266-sta-mac": MAC, "x-esp8266-version": "1.0.0" },
    });
    expect(answer.statusCode).to.equal(200);
  });
});
