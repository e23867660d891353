// What somebody does with a new server, in order, and how far they are. Pure.

import type { FirmwareView } from "../../../api/release-views.js";

export interface NextStep {
  readonly name: string;
  readonly isDone: boolean;
  readonly how: string;
  /** To run on one's own computer. */
  readonly command?: string;
  readonly to?: readonly [path: string, name: string];
}

interface Progress {
  readonly releases: readonly FirmwareView[];
  readonly deviceCount: number;
  readonly rolloutCount: number;
  /** Attempts of devices to update. */
  readonly updateCount: number;
}

export function nextSteps({
  releases,
  deviceCount,
  rolloutCount,
  updateCount,
}: Progress): readonly NextStep[] {
  // A stable release needs no rollout: devices that have begun to take one show that delivery works.
  const isGivenOut = rolloutCount > 0 || updateCount > 0;
  return [
    {
      name: "Make a release key",
      // The key is never here: a release that it has signed shows that there is one.
      isDone: releases.length > 0,
      how: "It signs your firmware, and stays with you.",
      command: "npx skyslot keys init",
    },
    {
      name: "Upload a release",
      isDone: releases.length > 0,
      how: "Build an image, sign it, and upload both.",
      command: "npx skyslot image build --app base --app-version 1.1.0 --key release.pub.jwk",
      to: ["/ota-management", "Upload it here"],
    },
    {
      name: "Start a device",
      isDone: deviceCount > 0,
      how: "A virtual one on your desk, or a real one.",
      command: "npx skyslot sim --key release.pub.jwk",
    },
    {
      name: "Roll it out",
      isDone: isGivenOut,
      how: "In stages, with a pause if updates fail.",
      to: ["/ota-management/rollouts/new", "Plan a rollout"],
    },
  ];
}
