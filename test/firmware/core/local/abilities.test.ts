// What a device says that the server may order of it.

import { expect } from "chai";
import { cmsSection } from "../../../../firmware/apps/cms/core/settings.js";
import { ledSection } from "../../../../firmware/apps/led/core/settings.js";
import { receiverSection } from "../../../../firmware/apps/receiver/core/settings.js";
import type { Booted } from "../../../../firmware/core/event.js";
import {
  type AbilitiesRequest,
  MAX_ABILITIES_BYTES,
  MAX_TOLD_FIELD_COUNT,
} from "../../../../firmware/core/wire.js";
import { answerEvents, BOOTED } from "../events.js";
import { Device } from "../local-device.js";

const LED = ledSection({ chip: "esp32", statusPin: 2 });

class Telling extends Device {
  static boot(facts: Partial<Booted> = {}): Telling {
    const stored = { layout: "1", networks: '[["home","secret password"]]' };
    return new Telling({ ...Device.joined().state.localApi.boot!, ...facts, stored }).join() as Telling;
  }

  /** The digest in the next check, which is answered. */
  check(answer: object = {}): string | undefined {
    this.on({ type: "timerFired", timer: "check" });
    const body = JSON.parse(this.#requests().at(-1)?.body ?? "");
    const whole = { time: 1, update_available: false, ...answer };
    for (const event of answerEvents(this.state.update.attempt, whole)) this.on(event);
    return body.abilities_digest;
  }
  /** What it sends when a check is answered so. */
  tell(): AbilitiesRequest {
    this.on({ type: "timerFired", timer: "check" });
    const asked: { readonly url: string; readonly body?: string }[] = [];
    const whole = { time: 1, update_available: false, tell_abilities: true };
    for (const event of answerEvents(this.state.update.attempt, whole)) {
      this.on(event);
      asked.push(...this.#requests());
    }
    expect(asked.map(({ url }) => url)).deep.equal([`${BOOTED.build.server}/api/ota/abilities`]);
    const { body = "" } = asked[0] ?? {};
    expect(body.length).below(MAX_ABILITIES_BYTES);
    return JSON.parse(body);
  }
  order(settings: object): this {
    this.on({ type: "timerFired", timer: "check" });
    const whole = { time: 1, update_available: false, orders: [{ id: 1, kind: "settings", settings }] };
    for (const event of answerEvents(this.state.update.attempt, whole)) this.on(event);
    return this;
  }
  #requests = () =>
    this.effects.flatMap((effect) => (effect.type === "startRequest" ? [effect.request] : []));
}

describe("what a server may order of a device", () => {
  it("is told when the server asks: orders, settings with their limits, present values", () => {
    const device = Telling.boot({ section: LED, canIdentify: true });
    const told = device.tell();
    expect(told.orders).deep.equal(["identify", "restart", "settings"]);
    expect(told.fields.map(({ name }) => name)).deep.equal([
      "checkSeconds",
      "deviceName",
      "pattern",
      "colour",
      "brightness",
      "speed",
      "count",
    ]);
    expect(told.fields.find(({ name }) => name === "brightness")).include({ least: 1, most: 100 });
    expect(told.values).include({ checkSeconds: 0, deviceName: "", brightness: 25, pattern: "solid" });
    expect(told.digest).equal(device.check());
  });

  it("names neither secrets nor what only the owner may change, and an order of everything in it is carried out", () => {
    for (const section of [LED, receiverSection, cmsSection(900)]) {
      const device = Telling.boot({ section });
      const { fields, values, orders } = device.tell();
      expect(fields.length).below(MAX_TOLD_FIELD_COUNT);
      expect(orders).deep.equal(["restart", "settings"]);
      expect(fields.some(({ isOwners, type }) => isOwners || type === "secret")).equal(false);
      expect(Object.keys(values)).deep.equal(fields.map(({ name }) => name));
      device.order(values);
      expect(device.state.update.orderResults.map(({ result }) => result)).deep.equal(["done"]);
    }
  });

  it("has another digest after each change, by the server or on its page, and the same after a restart", () => {
    const device = Telling.boot({ section: LED });
    const first = device.check();
    expect(first).match(/^[0-9a-f]{8}$/);
    expect(Telling.boot({ section: LED }).check()).equal(first);
    const second = device.order({ brightness: 80 }).check();
    expect(second).not.equal(first);
    expect(device.tell().values.brightness).equal(80);
    expect(device.order({ brightness: 25 }).check()).equal(first);
    expect(device.order({ deviceName: "Hall" }).check()).not.equal(first);
    expect(Telling.boot({ section: LED, canIdentify: true }).check()).not.equal(first);
  });

  it("is not told by radio, and has no digest there", () => {
    expect(Telling.boot({ section: LED, link: "radio" }).state.update.abilitiesDigest).equal("");
  });
});
