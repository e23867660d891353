// Keeps the sample fleet alive while the server runs (`skyslot server --demo`): its devices go on from what the store knows of them, so
// they do after a restart, too. They are functions called by one timer, and speak to the server's routes without a socket.

import type { FastifyInstance } from "fastify";
import type { Device, Store } from "../store/store.js";
import { LiveDevice } from "./live-device.js";

interface LiveFleetOptions {
  readonly app: FastifyInstance;
  readonly store: Store;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  readonly onTrouble: (error: unknown) => void;
}

export interface LiveFleet {
  readonly deviceCount: number;
  /** Lets every device act that is due. */
  turn(): Promise<void>;
  /** Ends the timer, and waits for what is under way. */
  close(): Promise<void>;
}

const TURN_MS = 1_000;
/** More are not simulated. */
const MAX_DEVICE_COUNT = 1_000;
/** Of the devices that were silent longer when the server started, nobody hears again. */
const GONE_AFTER_MS = 12 * 3_600_000;

/** @param options.store has the devices that the story of the sample fleet has left */
export async function startLiveFleet(options: LiveFleetOptions): Promise<LiveFleet> {
  const { app, store, now, random, onTrouble } = options;
  const { rows } = await store.listDevices({}, { limit: MAX_DEVICE_COUNT, offset: 0 });
  const begun = now();
  const last = Math.max(...rows.map(({ lastSeen }) => lastSeen));
  const devices = rows
    .filter(({ lastSeen }) => last - lastSeen < GONE_AFTER_MS)
    .map((device) => new LiveDevice(app, stateOf(device), begun, random));
  let turning: Promise<void> | undefined;
  let isClosed = false;

  async function letAllAct(): Promise<void> {
    for (const device of devices) {
      if (isClosed) return;
      if (device.dueAt <= now()) await device.act(now()).catch(onTrouble);
    }
  }
  const turn = () => {
    // One that lasts longer than the pause is not overtaken.
    turning ??= letAllAct().finally(() => {
      turning = undefined;
    });
    return turning;
  };
  const timer = setInterval(turn, TURN_MS);
  timer.unref();
  return {
    deviceCount: devices.length,
    turn,
    async close() {
      isClosed = true;
      clearInterval(timer);
      await turning;
    },
  };
}

/** An update that was under way when the server ended is begun again. */
const stateOf = (device: Device) => ({
  id: device.id,
  type: device.type,
  chip: device.chip ?? "esp32",
  version: device.version,
  build: device.build,
  imageSha256: device.imageSha256 ?? "",
  slotState: "valid" as const,
  bootCount: device.bootCount ?? 1,
  resetReason: device.resetReason ?? "power-on",
  address: device.address ?? "192.168.1.2",
});
