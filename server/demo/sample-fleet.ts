// Sample data (`skyslot server --demo`): four weeks of a fleet's life, lived in a few seconds. Nothing is written past the server:
// virtual operators and devices speak to its routes, with a clock that runs fast, so that all that is shown came about as it does in
// earnest. The same seed gives the same fleet; only keys and signatures are new each time, and the key is thrown away.

import { randomBytes } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { randomStream } from "../../host-sim/world/random.js";
import { createApp } from "../app.js";
import { Auth } from "../auth/auth.js";
import type { BlobStore } from "../blobs/blobs.js";
import type { Store } from "../store/store.js";
import { makeSampleDevices, type SampleDevice } from "./sample-devices.js";
import { Publisher, SAMPLE_RELEASES, type SampleRelease } from "./sample-releases.js";

export interface SampleOptions {
  readonly store: Store;
  readonly blobs: BlobStore;
  /** Milliseconds since 1970: when the story ends. */
  readonly endsAt: number;
  readonly seed: string;
  readonly deviceCount?: number;
}

const HOUR_MS = 3_600_000;
const SLOT_MS = HOUR_MS / 5;
const STORY_HOURS = 28 * 24;
/** Rollouts are moved on so often. */
const TICK_SLOTS = 5;

/** @throws if the store has anything in it */
export async function fillWithSampleFleet(options: SampleOptions): Promise<void> {
  const { store, blobs, endsAt, seed, deviceCount = 200 } = options;
  await mustBeEmpty(store);
  const random = randomStream(seed);
  const clock = { ms: endsAt - STORY_HOURS * HOUR_MS };
  const now = () => clock.ms;
  const token = `skx_${randomBytes(24).toString("base64url")}`;
  const app = createApp({
    store,
    blobs,
    auth: new Auth({ store, now, localToken: token }),
    now,
    settings: { deviceRate: undefined, addressRate: undefined, newDeviceRate: undefined },
  });
  try {
    const publisher = await Publisher.open(app, token, random);
    const devices = makeSampleDevices(deviceCount, clock.ms, endsAt, random);
    const due = [...SAMPLE_RELEASES].sort((a, b) => b.hoursBeforeEnd - a.hoursBeforeEnd);
    for (let slot = 0; clock.ms < endsAt; slot++) {
      await publishDue(publisher, due, endsAt - clock.ms);
      await Promise.all(
        devices
          .filter((device) => device.dueAt <= clock.ms)
          .map((device) => device.act(app, publisher, clock.ms)),
      );
      if (slot % TICK_SLOTS === 0) await app.tick();
      clock.ms += SLOT_MS;
    }
    await seeAgain(app, publisher, devices, clock, endsAt);
  } finally {
    await app.close();
  }
}

async function publishDue(publisher: Publisher, due: SampleRelease[], leftMs: number): Promise<void> {
  while (due[0] && due[0].hoursBeforeEnd * HOUR_MS >= leftMs) {
    const release = due.shift();
    if (release) await publisher.publish(release);
  }
}

/** Most of them were heard of in the last minutes. */
async function seeAgain(
  app: FastifyInstance,
  publisher: Publisher,
  devices: readonly SampleDevice[],
  clock: { ms: number },
  endsAt: number,
): Promise<void> {
  const MINUTES = 4;
  for (let minute = MINUTES; minute > 0; minute--) {
    clock.ms = endsAt - minute * 60_000;
    const part = devices.filter((device, index) => device.isThere && index % MINUTES === minute - 1);
    await Promise.all(part.map((device) => device.act(app, publisher, clock.ms)));
  }
  clock.ms = endsAt;
  await app.tick();
}

async function mustBeEmpty(store: Store): Promise<void> {
  const [deviceCount, firmware, users] = [
    await store.countDevices(),
    await store.listFirmware({}, { limit: 1, offset: 0 }),
    await store.countAdmins(),
  ];
  if (deviceCount + firmware.totalCount + users === 0) return;
  throw new Error(
    `sample data goes into an empty store only; this one has ${deviceCount} devices and ${firmware.totalCount} releases: ` +
      "choose another folder with --data",
  );
}
