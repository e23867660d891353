// What happens to a device in the rollouts that offered it something: it gets a lease, takes the release, and ends with an outcome.
// Outcomes come from the attempts, which come from evidence (updates/check.ts). A device holds the lease of one rollout at most.

import { isSettled } from "../devices/evidence.js";
import type { Journal } from "../events/journal.js";
import { nameRelease, type Rollout, type RolloutRelease } from "../shared/rollout.js";
import { CAME_BACK, ENDED_BY_SERVER, type Member, type Update } from "../store/store.js";
import type { Offer } from "./decision.js";
import { followUp } from "./evaluate.js";
import { isOnTrial, runs } from "./obstacle.js";
import { compareToRunning, statesVersion } from "./order.js";
import { type DeviceScene, holdsLease } from "./scene.js";

/** After a decision: the rollout that offers gives its lease, every other takes its back. */
export async function settleLeases(
  journal: Journal,
  { device, members }: DeviceScene,
  offer: Offer<RolloutRelease> | undefined,
): Promise<void> {
  const { store, time } = journal;
  for (const member of members) {
    if (member.leaseUntil === null || member.rolloutId === offer?.rollout?.id) continue;
    // An image on trial is an update under way, though nothing is offered meanwhile.
    if (!isOnTrial(device) || offer)
      await store.putMember({ ...member, leaseUntil: null, isUpdating: false });
  }
  const rollout = offer?.rollout;
  if (!offer || !rollout) return;
  const known = members.find(({ rolloutId }) => rolloutId === rollout.id);
  const isHeld = known !== undefined && holdsLease(known, time) && known.firmwareId === offer.release.id;
  await store.putMember({
    rolloutId: rollout.id,
    deviceId: device.id,
    firmwareId: offer.release.id,
    stage: offer.stage,
    fromVersion: known?.fromVersion ?? device.version,
    firstGivenAt: known?.firstGivenAt ?? time,
    lastGivenAt: isHeld ? known.lastGivenAt : time,
    // Checking again is no progress: a device that never installs its offer must not block others forever.
    leaseUntil: isHeld ? known.leaseUntil : time + rollout.leaseMs,
    isUpdating: isHeld && known.isUpdating,
    outcome: known?.outcome ?? null,
    outcomeAt: known?.outcomeAt ?? null,
    errorCode: known?.errorCode ?? null,
  });
}

/** The device reports progress: its lease is extended, unless it has expired and another device may have its place. */
export async function noteProgress(journal: Journal, attempt: Update): Promise<void> {
  const member = await findMember(journal, attempt);
  if (!member) return;
  const rollout = await journal.store.findRollout(member.rolloutId);
  const isHeld = rollout !== undefined && holdsLease(member, journal.time);
  const leaseUntil = isHeld ? journal.time + rollout.leaseMs : member.leaseUntil;
  await journal.store.putMember({ ...member, isUpdating: attempt.status !== "pending", leaseUntil });
}

/** An attempt has ended: so has what the rollout gave. */
export async function noteEnd(journal: Journal, attempt: Update): Promise<void> {
  const member = await findMember(journal, attempt);
  if (!member) return;
  const rollout = await journal.store.findRollout(member.rolloutId);
  if (!rollout) return;
  const ended: Member = { ...member, leaseUntil: null, isUpdating: false };
  if (attempt.status === "success") {
    // An intermediate release is not the end: the lease goes on for the next step.
    if (rollout.firmwareId !== attempt.firmwareId) {
      await journal.store.putMember({ ...member, isUpdating: false });
      return;
    }
    await journal.store.putMember({
      ...ended,
      outcome: "validated",
      outcomeAt: journal.time,
      errorCode: null,
    });
  } else if (ENDED_BY_SERVER.includes(attempt.errorCode ?? "")) {
    await journal.store.putMember(ended);
    return;
  } else {
    const outcome = CAME_BACK.includes(attempt.errorCode ?? "") ? "rolled_back" : "failed";
    await journal.store.putMember({
      ...ended,
      outcome,
      outcomeAt: journal.time,
      errorCode: attempt.errorCode,
    });
  }
  await followUp(journal, rollout, member.deviceId);
}

/** What a device runs itself proves, however it was installed: the release is there without an attempt, or it is gone again. */
export async function believeRunning(journal: Journal, scene: DeviceScene): Promise<DeviceScene> {
  const { device } = scene;
  if (isOnTrial(device)) return scene;
  const members: Member[] = [];
  for (const member of scene.members) {
    const rollout = scene.rollouts.find(({ id }) => id === member.rolloutId);
    const release = scene.releases.find(({ id }) => id === rollout?.firmwareId);
    const outcome = rollout && release && outcomeOf(scene, member, rollout, release);
    if (!outcome) {
      members.push(member);
      continue;
    }
    const changed: Member = {
      ...member,
      leaseUntil: null,
      isUpdating: false,
      outcome,
      outcomeAt: journal.time,
      errorCode: outcome === "validated" ? null : "WENT_BACK",
    };
    members.push(changed);
    await journal.store.putMember(changed);
    await followUp(journal, rollout, scene.device.id);
    if (outcome === "validated") continue;
    await journal.log({
      kind: "rollout.went_back",
      deviceId: device.id,
      firmwareId: release.id,
      message: `${device.id} runs ${device.version} again, though it had validated ${nameRelease(release)}`,
      detail: { rollout_id: member.rolloutId },
    });
  }
  return { ...scene, members };
}

/** What is news about a device in a rollout; `undefined`: nothing. Without a hash to compare, its version is believed. */
function outcomeOf(
  scene: DeviceScene,
  { rolloutId, outcome, lastGivenAt }: Member,
  { force }: Rollout,
  release: RolloutRelease,
): "validated" | "rolled_back" | undefined {
  const { device, now } = scene;
  const hasHash = device.imageSha256 !== null && release.imageSha256 !== "";
  const order = compareToRunning(release, device);
  const isThere = hasHash
    ? device.imageSha256 === release.imageSha256 && isSettled(device.slotState, now - lastGivenAt)
    : order === 0;
  // A release that is forced may be what ran before: only an attempt proves that it was installed.
  if (isThere && outcome !== "validated") return force === "none" ? "validated" : undefined;
  const isBack = outcome === "validated" && order > 0 && (hasHash || statesVersion(device));
  return isBack && !wasLedBack(scene, rolloutId) ? "rolled_back" : undefined;
}

/** Whether another rollout has brought the older release that runs: then it did not go back by itself. */
const wasLedBack = ({ device, members, releases, rollouts }: DeviceScene, rolloutId: number): boolean =>
  rollouts.some(
    ({ id, firmwareId, force }) =>
      id !== rolloutId &&
      force === "any_order" &&
      members.some((member) => member.rolloutId === id && member.outcome === "validated") &&
      releases.some((release) => release.id === firmwareId && runs(device, release)),
  );

/** Of the rollouts that offered a device this firmware, the one that did so last. */
async function findMember({ store }: Journal, { deviceId, firmwareId }: Update): Promise<Member | undefined> {
  const members = (await store.findMembers(deviceId)).filter((member) => member.firmwareId === firmwareId);
  return members.sort((a, b) => b.lastGivenAt - a.lastGivenAt || b.rolloutId - a.rolloutId)[0];
}
