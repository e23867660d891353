// What the receiver's MQTT broker is told: that it is online, and what happens to its updates.

import { expect } from "chai";
import {
  initialTelling,
  isBrokers,
  type Seen,
  type TellingEffect,
  type TellingState,
  tell,
  toldOf,
} from "../../../../firmware/apps/receiver/core/telling.js";
import { type DeviceState, initialDevice } from "../../../../firmware/core/device-state.js";
import type { ReportSeen } from "../../../../firmware/core/system/member.js";
import { initialSystem, type SystemState } from "../../../../firmware/core/system/orchestrator.js";

const BOOT = { identity: { deviceId: "receiver-1" }, image: { version: "1.0.0" } };
const STAMP = { at: 0, random: 0.5, freeHeapBytes: 100_000 };
const deviceWith = (update: object): DeviceState =>
  ({
    ...initialDevice,
    localApi: { ...initialDevice.localApi, boot: BOOT },
    update: { ...initialDevice.update, ...update },
  }) as unknown as DeviceState;

const seen = (device: DeviceState, system: Partial<SystemState> = {}, otherPercent = 0): Seen => ({
  device,
  otherPercent,
  system: system === initialSystem ? initialSystem : { ...initialSystem, ...system },
});
const OFFLINE = seen(deviceWith({ online: false }), initialSystem);
const ONLINE = seen(deviceWith({ online: true }), initialSystem);
const UPDATING = seen(
  deviceWith({
    online: true,
    phase: "streaming",
    job: { release: { version: "1.1.0", size: 100 }, lastStep: 0 },
  }),
  initialSystem,
);

const TOLD = toldOf({ address: "mqtt://broker.lan:1884", topic: "home" })!;
const ANYTHING = { type: "wifiJoined", ...STAMP };

/** A broker that accepts and acknowledges everything. */
class Telling {
  state: TellingState = initialTelling;
  /** Topic and payload. */
  readonly sent: string[] = [];
  effects: readonly TellingEffect[] = [];
  told: typeof TOLD | undefined = TOLD;

  run(
    states: readonly [Seen, Seen],
    event: { readonly type: string } = ANYTHING,
    reported?: ReportSeen,
  ): this {
    const [state, effects] = tell(this.state, { ...event, ...STAMP }, states, this.told, reported);
    this.state = state;
    this.effects = effects;
    for (const effect of effects) if (effect.type === "sendToBroker") this.sent.push(textOf(effect));
    return this;
  }

  connect(): this {
    const { attempt } = this.run([OFFLINE, ONLINE]).state.publisher;
    this.run([ONLINE, ONLINE], { type: "brokerConnected", attempt } as never);
    return this.answer(0x20, 2, 0, 0).acknowledge();
  }

  answer(...bytes: readonly number[]): this {
    const { attempt } = this.state.publisher;
    return this.run([ONLINE, ONLINE], {
      type: "brokerReceived",
      attempt,
      bytes: Uint8Array.from(bytes),
    } as never);
  }

  acknowledge(): this {
    const { awaits } = this.state.publisher;
    return this.answer(0x40, 2, awaits >> 8, awaits & 0xff);
  }
}

const REPORT: ReportSeen = {
  deviceId: "transmitter-2",
  firmwareId: 4,
  status: "installing",
  step: "staged",
  code: "",
  message: "",
};

describe("the receiver's broker", () => {
  it("is none without an address, or with one that is none", () => {
    expect(toldOf({})).equal(undefined);
    expect(toldOf({ address: "mqtts://broker.lan" })).equal(undefined);
    const telling = new Telling();
    telling.told = undefined;
    telling.run([OFFLINE, ONLINE]);
    expect([telling.state, telling.effects]).deep.equal([initialTelling, []]);
  });

  it("is connected to when the device is online, greeted, and told of an update", () => {
    const telling = new Telling();
    telling.run([OFFLINE, ONLINE]);
    expect(telling.effects).deep.include({
      type: "connectBroker",
      attempt: 1,
      host: "broker.lan",
      port: 1884,
    });
    telling.run([ONLINE, ONLINE], { type: "brokerConnected", attempt: 1 } as never);
    expect(telling.sent.at(-1)).include("home/receiver-1/status").and.include("offline");
    telling.run([ONLINE, UPDATING]).answer(0x20, 2, 0, 0);
    expect(telling.sent.at(-1)).include("home/receiver-1/status").and.include("online");
    telling.acknowledge();
    expect(telling.sent.at(-1))
      .include("home/receiver-1/ota")
      .and.include('"event":"started","version":"1.1.0"');
  });

  it("is told what the transmitter reports, in a topic of the receiver's", () => {
    for (const [change, event] of [
      [{}, "staged"],
      [{ step: "validated", status: "success" }, "validated"],
      [{ step: "", status: "failed", code: "FLASH_FAILED", message: "worn" }, "failed"],
      [{ step: "", status: "failed", code: "ROLLED_BACK", message: "no network" }, "rolled-back"],
    ] as const) {
      const telling = new Telling().connect();
      telling.run([ONLINE, ONLINE], ANYTHING, { ...REPORT, ...change });
      expect(telling.sent.at(-1)).include("home/receiver-1/transmitter/ota");
      expect(telling.sent.at(-1)).include(`{"device":"transmitter-2","event":"${event}"`);
    }
  });

  it("is told of each tenth of the transmitter's image, and no more often", () => {
    const telling = new Telling().connect();
    const at = (percent: number) => seen(ONLINE.device, initialSystem, percent);
    telling.run([at(0), at(9)]);
    expect(telling.sent).length(2);
    telling.run([at(9), at(31)]);
    expect(telling.sent.at(-1)).include("transmitter/ota").and.include('{"event":"progress","percent":30}');
    telling
      .acknowledge()
      .run([at(31), at(39)])
      .run([at(39), at(0)]);
    expect(telling.sent).length(3);
  });

  it("is told how far an update of both is, and how it ended", () => {
    const job = { version: "2.0.0", phase: "staging", reason: "" } as SystemState["job"];
    const telling = new Telling().connect();
    const begun = seen(ONLINE.device, { job });
    telling.run([ONLINE, begun]);
    expect(telling.sent.at(-1)).include("home/receiver-1/system").and.include('"phase":"staging"');
    telling.acknowledge().run([begun, seen(ONLINE.device, { job })]);
    expect(telling.sent).length(3);
    const entry = { version: "2.0.0", result: "failed", reason: "too late", time: 0 } as const;
    telling.run([begun, seen(ONLINE.device, { history: [entry] })]);
    expect(telling.sent.at(-1)).include('{"version":"2.0.0","result":"failed","reason":"too late"}');
  });

  it("is another one as soon as its owner has chosen another, and none when it was taken away", () => {
    const telling = new Telling().connect();
    telling.told = toldOf({ address: "other.lan", user: "pair", password: "p" })!;
    telling.run([ONLINE, ONLINE]);
    expect(telling.effects.map(({ type }) => type)).include.members(["closeBroker", "connectBroker"]);
    expect(telling.effects).deep.include({
      type: "connectBroker",
      attempt: 2,
      host: "other.lan",
      port: 1883,
    });
    telling.told = undefined;
    telling.run([ONLINE, ONLINE]);
    expect(telling.effects.map(({ type }) => type))
      .include("closeBroker")
      .and.not.include("connectBroker");
    expect(telling.run([OFFLINE, ONLINE]).effects).deep.equal([]);
  });

  it("has events and timers of its own", () => {
    expect(isBrokers({ type: "brokerLost" })).equal(true);
    expect(isBrokers({ type: "timerFired", timer: "mqtt.retry" })).equal(true);
    expect(isBrokers({ type: "timerFired", timer: "check" })).equal(false);
  });
});

const textOf = ({ bytes }: Extract<TellingEffect, { readonly type: "sendToBroker" }>): string =>
  Buffer.from(bytes).toString("latin1");
