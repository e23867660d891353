// Labels that operators put on devices: tags, group and pin.

import { parseVersion } from "../../firmware/core/update/version.js";
import type { Journal } from "../events/journal.js";
import { Refusal } from "../shared/refusal.js";
import type { DeviceLabels, LabelChanges } from "../shared/rollout.js";
import type { Device } from "../store/store.js";

export const MAX_TAG_COUNT = 32;

/** @throws Refusal PIN_INVALID, TOO_MANY_TAGS */
export async function changeLabels(
  journal: Journal,
  device: Device,
  changes: LabelChanges,
  actor: string,
): Promise<DeviceLabels> {
  if (changes.pin && !parseVersion(changes.pin))
    throw new Refusal("PIN_INVALID", `"${changes.pin}" is not a version such as 1.1.0 or 1.1.0+3`);
  const before = await journal.store.findLabels(device.id);
  const kept = (changes.tags ?? before.tags).filter((tag) => !changes.remove_tags?.includes(tag));
  const tags = [...new Set([...kept, ...(changes.add_tags ?? [])])].sort();
  if (tags.length > MAX_TAG_COUNT)
    throw new Refusal(
      "TOO_MANY_TAGS",
      `${device.id} would have ${tags.length} tags, ${MAX_TAG_COUNT} are possible`,
    );
  const wanted: DeviceLabels = {
    tags,
    group: changes.group === undefined ? before.group : changes.group,
    pin: changes.pin === undefined ? before.pin : changes.pin,
  };
  const sentence = describe(before, wanted);
  if (sentence === "") return before;
  const after = await journal.store.putLabels(device.id, wanted);
  await journal.log({
    kind: "device.labelled",
    deviceId: device.id,
    message: `${device.id}: ${sentence}, by ${actor}`,
    detail: { before, after },
  });
  return after;
}

function describe(before: DeviceLabels, after: DeviceLabels): string {
  const added = after.tags.filter((tag) => !before.tags.includes(tag));
  const removed = before.tags.filter((tag) => !after.tags.includes(tag));
  return [
    added.length > 0 ? `tagged ${added.join(", ")}` : "",
    removed.length > 0 ? `no longer tagged ${removed.join(", ")}` : "",
    before.group === after.group ? "" : after.group === null ? "in no group" : `in group ${after.group}`,
    before.pin === after.pin ? "" : after.pin === null ? "no longer pinned" : `pinned to ${after.pin}`,
  ]
    .filter((words) => words !== "")
    .join(", ");
}
