// Reads everything that decides what a device is offered, also what its checks do not read: whether it is approved, and the releases
// that no device is offered. Decides nothing.

import { isCounted, standingOf } from "../devices/vouching.js";
import type { Rollout } from "../shared/rollout.js";
import type { DeviceState } from "../store/device-identities.js";
import type { Device, FirmwareSummary, Member, Store } from "../store/store.js";
import { chooseRelease } from "./choose-release.js";
import type { Decision, Offer, ReleaseVerdict } from "./decision.js";
import { compareToRunning } from "./order.js";
import { readScene, toSubject } from "./scene.js";
import { VERDICTS } from "./verdicts.js";
import { type Answer, BARRED, explain, summarize } from "./why.js";

/** Only the newest uploads of a type are searched for withheld ones. */
const MAX_WITHHELD_COUNT = 100;

export interface Why {
  readonly summary: string;
  readonly offer: Offer<FirmwareSummary> | undefined;
  /** The newest releases first. */
  readonly answers: readonly (Answer & { readonly version: string | undefined })[];
  /** What rollouts offered the device so far, and whether they count it. */
  readonly members: readonly (Member & { readonly isCounted: boolean })[];
}

export async function askWhy(store: Store, device: Device, now: number): Promise<Why> {
  const open = await store.findOpenUpdate(device.id);
  const { members, ...scene } = await readScene(store, device, now, open);
  const decision = chooseRelease(scene);
  const identity = await store.findIdentity(device.id);
  const standing = standingOf(identity);
  const counting = (rollout: Rollout | undefined) => rollout !== undefined && isCounted(standing, rollout);
  const withheld = await readWithheld(store, device, scene.releases);
  const whole = { ...scene, releases: [...scene.releases, ...withheld] };
  const { offer, verdicts } = bar(decision, identity?.state);
  const all = { offer, verdicts: [...verdicts, ...withheld.map(withheldVerdict)] };
  const versions = new Map(whole.releases.map(({ id, version }) => [id, version]));
  return {
    summary:
      identity && identity.state !== "approved"
        ? SUMMARIES[identity.state](device.id)
        : `${summarize(whole, all)}${scene.rollouts
            .filter((rollout) => rollout.state === "running" && !counting(rollout))
            .map(({ id, name }) => ` ${notCounted(id, name)}`)
            .join("")}`,
    offer,
    answers: explain(whole, all)
      .map((answer) => ({ ...answer, version: versions.get(answer.firmwareId) }))
      .sort((a, b) => b.firmwareId - a.firmwareId || (b.rolloutId ?? 0) - (a.rolloutId ?? 0)),
    members: await Promise.all(
      members.map(async (member) => {
        const { rolloutId } = member;
        const rollout = scene.rollouts.find(({ id }) => id === rolloutId);
        return { ...member, isCounted: counting(rollout ?? (await store.findRollout(rolloutId))) };
      }),
    ),
  };
}

const notCounted = (id: number, name: string): string =>
  `Rollout ${id} "${name}" does not count it, because nobody vouched for it and it registered after the rollout began: approve it if you know it.`;

/** A device that is not approved is offered nothing, whatever fits. */
function bar(
  { offer, verdicts }: Decision<FirmwareSummary>,
  state: DeviceState = "approved",
): Decision<FirmwareSummary> {
  if (state === "approved") return { offer, verdicts };
  const verdict = BARRED[state];
  return {
    offer: undefined,
    verdicts: verdicts.map((each) => (VERDICTS[each.verdict].isOffer ? { ...each, verdict } : each)),
  };
}

const SUMMARIES = Object.freeze({
  pending: (id: string) => `${id} is offered nothing: it is awaiting approval.`,
  blocked: (id: string) =>
    `${id} is offered nothing: it is blocked, and all its requests are refused. Approve it to let it in again.`,
});

/** Releases newer than what runs that were deactivated, or are unsigned where signatures are required. */
async function readWithheld(
  store: Store,
  device: Device,
  known: readonly FirmwareSummary[],
): Promise<readonly FirmwareSummary[]> {
  const page = { limit: MAX_WITHHELD_COUNT, offset: 0 };
  const { rows } = await store.listFirmware({ deviceType: device.type }, page);
  const ids = new Set(known.map(({ id }) => id));
  return rows
    .filter((firmware) => !ids.has(firmware.id) && compareToRunning(firmware, toSubject(device)) > 0)
    .map(({ release, ...rest }) => ({
      ...rest,
      isSigned: release !== null,
      manifestLength: release?.length ?? 0,
    }));
}

const withheldVerdict = ({ id, isActive }: FirmwareSummary): ReleaseVerdict => ({
  firmwareId: id,
  rolloutId: null,
  verdict: isActive ? "NOT_SIGNED" : "INACTIVE",
});
