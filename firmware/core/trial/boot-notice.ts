// What a device logs when it starts: a line for the firmware, one for its build, one for its slots and the reset reason, and an error if
// nothing would roll it back.

import type { Effect } from "../effect.js";
import type { Booted } from "../event.js";
import { resetCause } from "./restart-cause.js";
import { missingRollbackSupport } from "./rollback-support.js";

export function bootNotice(booted: Booted): readonly Effect[] {
  const { identity, image, bootSlot } = booted;
  const build = image.build > 0 ? `+${image.build}` : "";
  const compiled = [image.compileDate, image.compileTime].filter(Boolean).join(" ") || "at an unknown time";
  const lines = [
    `${identity.type} ${image.version}${build} on ${identity.hardware} (${identity.chip}), device ${identity.deviceId}`,
    `compiled ${compiled}, ESP-IDF ${image.idfVersion || "unknown"}`,
    `running ${image.slot} (${image.slotState}), boot partition ${bootSlot || "unknown"}, restarted by ${resetCause(booted)}`,
  ];
  const { protocolVersion, minCompatible = "any version" } = booted.build;
  if (protocolVersion !== undefined)
    lines.push(`speaks protocol ${protocolVersion}, works with ${minCompatible} of its peer or newer`);
  const missing = missingRollbackSupport(booted);
  return [
    ...lines.map((message) => ({ type: "log", level: "info", message }) as const),
    ...(missing === undefined
      ? []
      : [
          {
            type: "log",
            level: "error",
            message: `a bad image would not be rolled back: ${missing}`,
          } as const,
        ]),
  ];
}
