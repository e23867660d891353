// Reads everything that decides what a device is offered, also what its check does not come so far as to ask: whether it is let in
// at all, and the releases that nobody is offered. Decides nothing.

import type { DeviceState } from "../store/device-identities.js";
import type { Device, FirmwareSummary, Member, Store } from "../store/store.js";
import { type Decision, decide, type Judged, type Offer, type Verdict } from "./choose-release.js";
import { compareToRunning } from "./order.js";
import { readScene, toSubject } from "./scene.js";
import { type Answer, BARRED, explain, summarize } from "./why.js";

/** The newest uploads of a type are looked through for some that are withheld. */
const MAX_WITHHELD_COUNT = 100;

export interface Why {
  readonly summary: string;
  readonly offer: Offer<FirmwareSummary> | undefined;
  /** The newest releases first. */
  readonly answers: readonly (Answer & { readonly version: string | undefined })[];
  /** What rollouts offered the device so far. */
  readonly members: readonly Member[];
}

export async function askWhy(store: Store, device: Device, now: number): Promise<Why> {
  const { members, ...scene } = await readScene(store, device, now);
  const decision = decide(scene.device, scene.releases, scene.rollouts, scene.facts, scene.now);
  const identity = await store.findIdentity(device.id);
  const withheld = await readWithheld(store, device, scene.releases);
  const whole = { ...scene, releases: [...scene.releases, ...withheld] };
  const { offer, verdicts } = bar(decision, identity?.state);
  const told = { offer, verdicts: [...verdicts, ...withheld.map(nameWithheld)] };
  const versions = new Map(whole.releases.map(({ id, version }) => [id, version]));
  return {
    summary:
      identity && identity.state !== "approved"
        ? SUMMARIES[identity.state](device.id)
        : summarize(whole, told),
    offer,
    answers: explain(whole, told)
      .map((answer) => ({ ...answer, version: versions.get(answer.firmwareId) }))
      .sort((a, b) => b.firmwareId - a.firmwareId || (b.rolloutId ?? 0) - (a.rolloutId ?? 0)),
    members,
  };
}

/** Whom the door is closed to is offered nothing, whatever fits. */
function bar(
  { offer, verdicts }: Decision<FirmwareSummary>,
  state: DeviceState = "approved",
): Decision<FirmwareSummary> {
  if (state === "approved") return { offer, verdicts };
  const verdict = BARRED[state];
  return {
    offer: undefined,
    verdicts: verdicts.map((judged) => (OFFERED.includes(judged.verdict) ? { ...judged, verdict } : judged)),
  };
}

const OFFERED: readonly Verdict[] = Object.freeze([
  "OFFERED",
  "OFFERED_AS_STONE",
  "STONE_OFFERED",
  "OTHER_OFFERED",
]);
const SUMMARIES = Object.freeze({
  pending: (id: string) => `${id} is offered nothing: it waits for its approval.`,
  blocked: (id: string) =>
    `${id} is offered nothing: it is blocked, and refused whatever it asks. Approve it to let it in again.`,
});

/** Releases newer than what runs that were deactivated, or that nobody has signed where everything has to be. */
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

const nameWithheld = ({ id, isActive }: FirmwareSummary): Judged => ({
  firmwareId: id,
  rolloutId: null,
  verdict: isActive ? "NOT_SIGNED" : "INACTIVE",
});
