// A pair on a desk: the real receiver and transmitter images, in one air, with the real update server behind the home's network.

import { fileURLToPath } from "node:url";
import { HOME, OWNER_TOKEN } from "../../../host-sim/desk/desk.js";
import type { VirtualDevice } from "../../../host-sim/device/device.js";
import type { Engine } from "../../../host-sim/engine/engine.js";
import { Phone, type PhoneResponse } from "../../../host-sim/network/phone.js";
import { imageOf, type Rig, type RigOptions, setUpRig } from "../rig.js";

const GATEWAY_TABLE = fileURLToPath(new URL("../../../partitions/8mb-gateway.csv", import.meta.url));
export const MINUTE_MS = 60_000;

type Config = NonNullable<Parameters<typeof imageOf>[3]>;

export type PairApp = "receiver" | "transmitter";

/** The image of one of the two in this version, built once. */
export const pairImage = (app: PairApp, version: string, config: Config = {}): Promise<Uint8Array> =>
  imageOf(app, version, "esp32", { ...PACE, type: app, ...config });

/** Quicker than in the field. */
const PACE: Config = Object.freeze({ checkSeconds: 30, telemetrySeconds: 2 });

export interface PairOptions extends Omit<RigOptions, "update" | "devices" | "image"> {
  readonly receiver?: Uint8Array;
  readonly transmitter?: Uint8Array;
  /** On the server from the start. */
  readonly update?: Uint8Array;
  /** What runs the firmware of each; V8 by default. */
  readonly engineOf?: (app: PairApp) => Engine;
}

export interface PairRig extends Rig {
  readonly receiver: VirtualDevice;
  readonly transmitter: VirtualDevice;
  /** Lines that one of the two has traced. */
  readonly lines: Readonly<Record<PairApp, string[]>>;
  /** Of the receiver, in its network. */
  address(): string;
  /** What the receiver answers there. */
  get(path: string): Promise<Record<string, unknown>>;
  text(path: string): Promise<string>;
  /** With the owner's token, or another one; empty: none. */
  post(path: string, body: string, as?: { readonly token?: string }): Promise<PhoneResponse>;
  /** False: not within ten minutes, or this time. */
  until(is: () => boolean, limitMs?: number): Promise<boolean>;
  powerOn(): void;
}

export async function setUpPair(options: PairOptions = {}): Promise<PairRig> {
  const lines: Record<PairApp, string[]> = { receiver: [], transmitter: [] };
  const { receiver, transmitter, engineOf, ...others } = options;
  const rig = await setUpRig({
    ...others,
    devices: [
      {
        name: "receiver",
        image: receiver ?? (await pairImage("receiver", "1.0.0")),
        partitions: GATEWAY_TABLE,
        engine: engineOf?.("receiver"),
      },
      {
        name: "transmitter",
        image: transmitter ?? (await pairImage("transmitter", "1.0.0")),
        engine: engineOf?.("transmitter"),
      },
    ],
    onTrace: (line, device) => {
      lines[device as PairApp].push(line);
      options.onTrace?.(line, device);
    },
  });
  const { world, network, devices } = rig.desk;
  const [first, second] = devices as [VirtualDevice, VirtualDevice];
  const phone = new Phone({ world, network, name: "tablet", mac: "02:00:00:00:00:77" });

  /** Runs the world until a promise of the phone has settled. */
  async function done<Result>(promise: Promise<Result>): Promise<Result> {
    let isSettled = false;
    const settle = () => {
      isSettled = true;
    };
    promise.then(settle, settle);
    await world.runUntil(() => isSettled, { limitMs: 2 * MINUTE_MS });
    return promise;
  }

  const address = (): string =>
    /address (\d+\.\d+\.\d+\.\d+)/.exec(
      lines.receiver.findLast((line) => line.includes("address ")) ?? "",
    )?.[1] ?? "";

  async function reached(): Promise<string> {
    if (phone.joinedSsid === undefined) await done(phone.join(HOME.ssid, HOME.password));
    return address();
  }

  const until = (is: () => boolean, limitMs = 10 * MINUTE_MS) => world.runUntil(is, { limitMs });
  return {
    ...rig,
    receiver: first,
    transmitter: second,
    lines,
    until,
    address,
    async get(path) {
      return JSON.parse((await done(phone.get(path, await reached()))).text);
    },
    text: async (path) => (await done(phone.get(path, await reached()))).text,
    async post(path, body, { token = OWNER_TOKEN } = {}) {
      const authorization = token === "" ? {} : { authorization: `Bearer ${token}` };
      const headers = { "content-type": "application/json", ...authorization };
      return done(phone.post(path, body, await reached(), { headers }));
    },
    powerOn() {
      first.powerOn();
      second.powerOn();
    },
    async close() {
      second.powerOff();
      await rig.close();
    },
  };
}
