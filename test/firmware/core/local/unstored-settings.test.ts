// The kind: a change that a person or the server makes, and that cannot be stored. It must not be in force until the next restart and
// then be gone: the answer says that nothing was changed.

import { expect } from "chai";
import { step } from "../../../../firmware/core/device.js";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { Event } from "../../../../firmware/core/event.js";
import { stamped } from "../events.js";
import { BEARER, Device, HOST, JSON_TYPE, TOKEN } from "../local-device.js";

/** A device whose store has no room from now on. */
class Full extends Device {
  override on(event: Event, at = 0): this {
    let asked: readonly Effect[];
    [this.state, asked] = step(this.state, { ...stamped(event), at });
    this.effects = asked;
    for (const effect of asked)
      if (effect.type === "save" && effect.purpose === "settings")
        this.on(
          { type: "saveFailed", purpose: effect.purpose, message: "the settings partition is full" },
          at,
        );
    return this;
  }
}

const full = () => {
  const device = new Full(Device.joined().state.localApi.boot!);
  return device.join();
};
const post = (device: Device, path: string, value: object) =>
  device.request("POST", path, {
    host: HOST,
    contentType: JSON_TYPE,
    authorization: BEARER,
    body: JSON.stringify(value),
  });

describe("a change of settings that cannot be stored", () => {
  for (const [path, change] of [
    ["/api/settings", { server: "http://other.test" }],
    ["/api/settings", { checkSeconds: 60, deviceName: "Lamp", acceptUnsigned: true }],
    ["/api/token", { token: "another-token-2" }],
  ] as const)
    it(`by ${path} ${JSON.stringify(change)} is answered 507, and changes nothing`, () => {
      const device = full();
      const before = device.get("/api/settings");
      const answer = post(device, path, change);
      expect(answer.status).equal(507);
      expect(JSON.parse(answer.body)).deep.equal({
        code: "STORE_FAILED",
        message: "It could not be stored, so nothing was changed: the settings partition is full.",
      });
      expect(device.get("/api/settings")).deep.equal(before);
      expect(device.state.update.server).equal(before.server);
      expect(device.state.push.token).equal(TOKEN);
      expect(device.get("/api/health").problems.map(({ code }: { code: string }) => code)).deep.equal([
        "STORE_FAILED",
      ]);
    });

  it("by the server is refused with the reason", () => {
    const device = full();
    device.on({ type: "settingsPushed", id: 9, settings: new Map([["checkSeconds", 60]]) });
    expect(device.state.update.orderResults[0]).include({ id: 9, result: "refused" });
    expect(device.state.update.orderResults[0]).property("reason").include("the settings partition is full");
    expect(device.state.update.checkSeconds).not.equal(60);
  });

  it("does not keep the next one from being stored", () => {
    const device = full();
    expect(post(device, "/api/settings", { deviceName: "Lamp" }).status).equal(507);
    const roomy = new Device(device.state.localApi.boot!).join();
    expect(roomy.post("/api/settings", { deviceName: "Lamp" }).status).equal(200);
  });
});
