// Which picture a device shows: of the assignments that are about it and in force, the most specific, and of these the newest.
// Pure.

import { isOpen } from "../shared/windows.js";
import { CONTENT_TARGETS, type ContentAssignment, type ContentAudience } from "../store/content.js";

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

function isAbout({ target: { kind, name } }: ContentAssignment, audience: ContentAudience): boolean {
  switch (kind) {
    case "device":
      return name === audience.deviceId;
    case "group":
      return name === audience.group;
    case "type":
      return name === audience.type;
    case "default":
      return true;
  }
}

const byRank = (a: ContentAssignment, b: ContentAssignment): number =>
  CONTENT_TARGETS.indexOf(a.target.kind) - CONTENT_TARGETS.indexOf(b.target.kind) || b.id - a.id;
