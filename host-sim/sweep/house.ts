// Where a device of the sweep lives: the desk's house with an update server whose answers the caller decides. One seed for every
// world, so that nothing but the flash differs between two runs.

import { Desk, HOME, OWNER_TOKEN } from "../desk/desk.js";
import type { DeviceEvent } from "../device/device-event.js";
import type { Engine } from "../engine/engine.js";
import type { Flash } from "../hardware/flash/flash.js";
import { Phone } from "../network/phone.js";
import type { Word } from "./leader.js";
import { createUpdateServer, type UpdateServer } from "./update-server.js";

export interface HouseOptions {
  readonly flash: Flash;
  /** No person sets the device up through its portal. */
  readonly alone: boolean;
  /** What the server answers a check. */
  readonly say: (server: UpdateServer, nowMs: number) => Word;
  readonly engine?: Engine | undefined;
  readonly onEvent?: ((event: DeviceEvent) => void) | undefined;
  readonly onTrace?: ((line: string) => void) | undefined;
}

export interface House {
  readonly desk: Desk;
  readonly server: UpdateServer;
}

export function openHouse(options: HouseOptions): House {
  let desk: Desk | undefined;
  const nowMs = (): number => desk?.world.nowMs ?? 0;
  const server = createUpdateServer(nowMs, (asked) => options.say(asked, nowMs()));
  desk = new Desk({
    server: { handler: server.handler },
    flash: options.flash,
    manual: options.alone,
    ...(options.engine ? { engine: options.engine } : {}),
    ...(options.onEvent ? { onEvent: options.onEvent } : {}),
    ...(options.onTrace ? { onTrace: options.onTrace } : {}),
  });
  return { desk, server };
}

/** What the owner changes on the device's page: the path, and what is sent there. */
const CHANGES = Object.freeze([
  ["/api/settings", { deviceName: "Kitchen light", checkSeconds: 300 }],
  ["/api/token", { token: "another-token-2" }],
] as const);

/** The owner changes all settings on the device's own page. @returns whether the device has taken them */
export async function changeSettings({ desk }: House, address: string): Promise<boolean> {
  const { world, network } = desk;
  const phone = new Phone({ world, network, name: "tablet", mac: "02:00:00:00:00:77" });
  const headers = { "content-type": "application/json", authorization: `Bearer ${OWNER_TOKEN}` };
  const change = async (): Promise<boolean> => {
    await phone.join(HOME.ssid, HOME.password);
    for (const [path, body] of CHANGES) {
      const { status } = await phone.post(path, JSON.stringify(body), address, { headers });
      if (status !== 200) return false;
    }
    return true;
  };
  let isTaken: boolean | undefined;
  change().then(
    (taken) => {
      isTaken = taken;
    },
    () => {
      isTaken = false;
    },
  );
  await world.runUntil(() => isTaken !== undefined, { limitMs: 60_000 });
  return isTaken === true;
}
