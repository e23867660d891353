// Reads a whole fleet for a plan, piece by piece: 100 000 devices never lie in memory at once, and other requests are answered
// between the pieces.

import { setImmediate as breathe } from "node:timers/promises";
import type { Firmware, FirmwareSummary, Store } from "../store/store.js";
import type { Facts } from "./decide.js";
import { NO_FACTS } from "./decide.js";
import type { Rollout } from "./model.js";
import { MAX_ROLLBACK_COUNT } from "./obstacle.js";
import { type ExcludedDevice, type PlannedDevice, Planner } from "./plan.js";
import { readReleases, toSubject } from "./scene.js";

const PIECE_LENGTH = 1000;

/** Hands every device of the rollout's type to `see`, as the rollout has it, and gives back the sums. */
export async function readFleet(
  store: Store,
  rollout: Rollout,
  now: number,
  see: (entry: PlannedDevice | ExcludedDevice) => void,
): Promise<{ readonly planner: Planner<FirmwareSummary>; readonly firmware: Firmware | undefined }> {
  const firmware = await store.findFirmware(rollout.firmwareId);
  const type = firmware?.deviceType ?? "";
  const releases = await readReleases(store, type);
  const rollouts = await store.governingRollouts(type);
  const planner = new Planner(rollout, releases, rollouts, now);
  const given = new Set(await store.memberIds(rollout.id));
  const gaveUp = new Set(await store.listRolledBack(rollout.firmwareId, MAX_ROLLBACK_COUNT));
  const barred = await store.listBarred();
  const factsOf = (deviceId: string): Facts => ({
    ...NO_FACTS,
    given: given.has(deviceId) ? new Set([rollout.id]) : NO_FACTS.given,
    history: gaveUp.has(deviceId) ? [gaveUpOn(rollout.firmwareId)] : [],
  });
  for (let after = ""; ; ) {
    const piece = await store.scanDevices(type, after, PIECE_LENGTH);
    for (const { device, labels } of piece) {
      see(
        planner.add({
          device: toSubject(device, labels),
          facts: factsOf(device.id),
          barred: barred.get(device.id),
        }),
      );
    }
    const last = piece[PIECE_LENGTH - 1];
    if (!last) return { planner, firmware };
    after = last.device.id;
    await breathe();
  }
}

const gaveUpOn = (firmwareId: number) => ({
  firmwareId,
  failedCount: MAX_ROLLBACK_COUNT,
  rolledBackCount: MAX_ROLLBACK_COUNT,
  lastFailedAt: 0,
  lastRolledBackAt: 0,
});
