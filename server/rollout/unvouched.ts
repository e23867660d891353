// What a person should know of devices that nobody vouched for, before and while a rollout runs. Pure.

import { countDevices } from "../shared/rollout.js";
import type { RegistrationPolicy } from "../store/store.js";

interface UnvouchedCounts {
  /** Devices that count, because they were known before the rollout began. */
  readonly countedCount: number;
  /** Devices that are offered it and do not count. */
  readonly uncountedCount: number;
}

/** @param policy of the device type that the rollout is for */
export function noteUnvouched(
  { deviceType, registration }: Pick<RegistrationPolicy, "deviceType" | "registration">,
  { countedCount, uncountedCount }: UnvouchedCounts,
): readonly string[] {
  const isOpen = registration === "open";
  const notes: string[] = [];
  if (isOpen)
    notes.push(
      `Anyone can register as a device of type ${deviceType}. Devices that register after it began are offered it, but count for no stage, gate or limit until somebody vouches for them: approve those that you know.`,
    );
  if (countedCount > 0)
    notes.push(
      `Nobody vouched for ${countDevices(countedCount)} that ${countedCount === 1 ? "counts" : "count"}, because known before it began${isOpen ? "" : " (registered while anyone could)"}: block those that you do not know.`,
    );
  if (uncountedCount > 0)
    notes.push(
      `${countDevices(uncountedCount)} that nobody vouched for ${uncountedCount === 1 ? "is" : "are"} not counted: ${uncountedCount === 1 ? "it is" : "they are"} in none of the other numbers.`,
    );
  return notes;
}
