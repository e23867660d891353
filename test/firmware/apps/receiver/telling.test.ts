// What the receiver's MQTT broker is told: that it is online, and what happens to its updates.

import { expect } from "chai";
import {
  isBrokers,
  type TellingEffect,
  tell,
  toldOf,
} from "../../../../firmware/apps/receiver/core/telling.js";
import { type DeviceState, initialDevice } from "../../../../firmware/core/device-state.js";
import { initialPublisher, type PublisherState } from "../../../../firmware/core/mqtt/publisher.js";

const BOOT = { identity: { deviceId: "receiver-1" }, image: { version: "1.0.0" } };
const STAMP = { at: 0, random: 0.5, freeHeapBytes: 100_000 };
const deviceWith = (update: object): DeviceState =>
  ({
    ...initialDevice,
    localApi: { ...initialDevice.localApi, boot: BOOT },
    update: { ...initialDevice.update, ...update },
  }) as unknown as DeviceState;

const OFFLINE = deviceWith({ online: false });
const ONLINE = deviceWith({ online: true });
const UPDATING = deviceWith({
  online: true,
  phase: "streaming",
  job: { release: { version: "1.1.0", size: 100 }, lastStep: 0 },
});

const TOLD = toldOf({ address: "mqtt://broker.lan:1884", topic: "home" })!;
const ANYTHING = { type: "wifiJoined", ...STAMP };

describe("the receiver's broker", () => {
  it("is none without an address, or with one that is none", () => {
    expect(toldOf({})).equal(undefined);
    expect(toldOf({ address: "mqtts://broker.lan" })).equal(undefined);
    expect(tell(initialPublisher, ANYTHING, [OFFLINE, ONLINE], undefined)).deep.equal([initialPublisher, []]);
  });

  it("is connected to when the device is online, greeted, and told of an update", () => {
    const sent: string[] = [];
    let state: PublisherState = initialPublisher;
    const run = (event: { readonly type: string }, devices: readonly [DeviceState, DeviceState]) => {
      const [next, effects] = tell(state, { ...event, ...STAMP }, devices, TOLD);
      state = next;
      for (const effect of effects) if (effect.type === "sendToBroker") sent.push(textOf(effect));
      return effects;
    };
    expect(run(ANYTHING, [OFFLINE, ONLINE])).deep.include({
      type: "connectBroker",
      attempt: 1,
      host: "broker.lan",
      port: 1884,
    });
    run({ type: "brokerConnected", attempt: 1 } as never, [ONLINE, ONLINE]);
    expect(sent.at(-1)).include("home/receiver-1/status").and.include("offline");
    run(ANYTHING, [ONLINE, UPDATING]);
    run({ type: "brokerReceived", attempt: 1, bytes: Uint8Array.of(0x20, 2, 0, 0) } as never, [
      UPDATING,
      UPDATING,
    ]);
    expect(sent.at(-1)).include("home/receiver-1/status").and.include("online");
    run({ type: "brokerReceived", attempt: 1, bytes: Uint8Array.of(0x40, 2, 0, 1) } as never, [
      UPDATING,
      UPDATING,
    ]);
    expect(sent.at(-1)).include("home/receiver-1/ota").and.include('"event":"started","version":"1.1.0"');
  });

  it("has events and timers of its own", () => {
    expect(isBrokers({ type: "brokerLost" })).equal(true);
    expect(isBrokers({ type: "timerFired", timer: "mqtt.retry" })).equal(true);
    expect(isBrokers({ type: "timerFired", timer: "check" })).equal(false);
  });
});

const textOf = ({ bytes }: Extract<TellingEffect, { readonly type: "sendToBroker" }>): string =>
  Buffer.from(bytes).toString("latin1");
