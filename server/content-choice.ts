// Which picture a device shows: of the assignments that are about it and in force, the most specific, and of these the newest.
// Pure.

import { isOpen } from "./rollout/window.js";
import { CONTENT_TARGETS, type ContentAssignment, type ContentAudience } from "./store/content.js";

/** What a device is to show now; `undefined`: nothing is assigned to it. */
export function chooseAssignment(
  audience: ContentAudience,
  assignments: readonly ContentAssignment[],
  now: number,
): ContentAssignment | undefined {
  return assignments
    .filter((assignment) => isAbout(assignment, audience) && isInForce(assignment, now))
    .sort(byRank)[0];
}

/** Whether its schedule lets it be shown now. */
export function isInForce({ from, until, windows }: ContentAssignment, now: number): boolean {
  return (from === null || now >= from) && (until === null || now < until) && isOpen(windows, now);
}

function isAbout({ targetKind, target }: ContentAssignment, audience: ContentAudience): boolean {
  switch (targetKind) {
    case "device":
      return target === audience.deviceId;
    case "group":
      return target === audience.group;
    case "type":
      return target === audience.type;
    case "default":
      return true;
  }
}

const byRank = (a: ContentAssignment, b: ContentAssignment): number =>
  CONTENT_TARGETS.indexOf(a.targetKind) - CONTENT_TARGETS.indexOf(b.targetKind) || b.id - a.id;
