// Reads a whole fleet for a plan, in pages: 100 000 devices are never in memory at once, and other requests are answered
// between the pieces.

import { setImmediate as yieldToOthers } from "node:timers/promises";
import { standingOf } from "../devices/vouching.js";
import type { Rollout } from "../shared/rollout.js";
import type { Firmware, FirmwareSummary, Store } from "../store/store.js";
import { type Facts, NO_FACTS } from "./decision.js";
import { MAX_ROLLBACK_COUNT } from "./obstacle.js";
import { nameByImage } from "./order.js";
import { type ExcludedDevice, type PlannedDevice, Planner, type Subject } from "./plan.js";
import { readReleases } from "./scene.js";

/** Devices read at once: some milliseconds of work, which is how long a check may wait. */
const PIECE_LENGTH = 250;

type FleetPlanner = Planner<FirmwareSummary>;

/** Hands every device of the rollout's type to `see`, as the rollout has it, and gives back the sums. */
export async function readFleet(
  store: Store,
  rollout: Rollout,
  now: number,
  see: (entry: PlannedDevice | ExcludedDevice, subject: Subject, planner: FleetPlanner) => void,
): Promise<{ readonly planner: FleetPlanner; readonly firmware: Firmware | undefined }> {
  const firmware = await store.findFirmware(rollout.firmwareId);
  const type = firmware?.deviceType ?? "";
  const releases = await readReleases(store, type);
  const rollouts = await store.governingRollouts(type);
  const planner = new Planner(rollout, releases, rollouts, now);
  const gaveUp = new Set(await store.listRolledBack(rollout.firmwareId, MAX_ROLLBACK_COUNT));
  const factsOf = factsFor(rollout);
  for (let after = ""; ; ) {
    const piece = await store.scanDevices(type, rollout.id, after, PIECE_LENGTH);
    for (const { device, isGiven, identity } of piece) {
      const facts = factsOf(isGiven, gaveUp.has(device.id));
      const subject = { device: nameByImage(device, releases), facts, standing: standingOf(identity) };
      see(planner.add(subject), subject, planner);
    }
    const last = piece[PIECE_LENGTH - 1];
    if (!last) return { planner, firmware };
    after = last.device.id;
    await yieldToOthers();
  }
}

/** There are four of them, however many devices. */
function factsFor({ id, firmwareId }: Rollout): (isGiven: boolean, gaveUp: boolean) => Facts {
  const given: Facts = { ...NO_FACTS, given: new Set([id]) };
  const history = [gaveUpOn(firmwareId)];
  const [gaveUpUnasked, gaveUpGiven] = [
    { ...NO_FACTS, history },
    { ...given, history },
  ];
  return (isGiven, gaveUp) => (gaveUp ? (isGiven ? gaveUpGiven : gaveUpUnasked) : isGiven ? given : NO_FACTS);
}

const gaveUpOn = (firmwareId: number) => ({
  firmwareId,
  failedCount: MAX_ROLLBACK_COUNT,
  rolledBackCount: MAX_ROLLBACK_COUNT,
  lastFailedAt: 0,
  lastRolledBackAt: 0,
});
