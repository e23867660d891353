// What somebody does with a new server, in order, and how far they are. Pure.

import type { FirmwareView } from "../../../api/release-views.js";

import type { RolloutView } from "../../../shared/rollout-view.js";

export interface NextStep {
  readonly name: string;
  readonly isDone: boolean;
  readonly how: string;
  /** To run on one's own computer, in this order. */
  readonly commands?: readonly string[];
  readonly to?: readonly [path: string, name: string];
}

interface Progress {
  readonly releases: readonly Pick<FirmwareView, "id">[];
  readonly deviceCount: number;
  readonly rollouts: readonly Pick<RolloutView, "id" | "state">[];
  /** Attempts of devices to update. */
  readonly updateCount: number;
  /** Where this server is, such as `http://127.0.0.1:8080`. */
  readonly origin: string;
}

const APP = "base";
const VERSION = "1.1.0";

export function nextSteps({
  releases,
  deviceCount,
  rollouts,
  updateCount,
  origin,
}: Progress): readonly NextStep[] {
  // A stable release needs no rollout: devices that have begun to take one show that delivery works.
  const isGivenOut = rollouts.some(hasBegun) || updateCount > 0;
  return [
    {
      name: "Make a release key",
      // The key is never here: a release that it has signed shows that there is one.
      isDone: releases.length > 0,
      how: "It signs your firmware, and stays with you.",
      commands: ["npx skyslot keys init"],
    },
    {
      name: "Upload a release",
      isDone: releases.length > 0,
      how: "Build an image, sign it, and upload both files.",
      commands: [
        `npx skyslot image build --app ${APP} --app-version ${VERSION} --key release.pub.jwk`,
        `npx skyslot release sign ${APP}-${VERSION}-esp32.bin --key release.jwk`,
      ],
      to: ["/ota-management", "Upload them here"],
    },
    {
      name: "Start a device",
      isDone: deviceCount > 0,
      how: "A virtual one on your desk, or a real one.",
      commands: [`npx skyslot sim --key release.pub.jwk${serverOption(origin)}`],
    },
    {
      name: "Roll it out",
      isDone: isGivenOut,
      how: "In stages, with a pause if updates fail.",
      to: rollOutAt({ releases, rollouts }),
    },
  ];
}

/** Virtual devices look for a server on their own computer, at port 8080 unless told otherwise. */
function serverOption(origin: string): string {
  const { hostname, port, protocol } = new URL(origin);
  const isHere = protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
  return isHere && port !== "8080" ? ` --server ${origin}` : "";
}

const waits = ({ state }: Pick<RolloutView, "state">): boolean =>
  state === "draft" || state === "awaiting_approval";

const hasBegun = (rollout: Pick<RolloutView, "state">): boolean =>
  !waits(rollout) && rollout.state !== "cancelled";

/** The draft that waits to be started, or the form for the newest release. */
function rollOutAt({ releases, rollouts }: Pick<Progress, "releases" | "rollouts">): [string, string] {
  const draft = rollouts.find(waits);
  if (draft) return [`/ota-management/rollouts/${draft.id}`, "Start the draft"];
  const newest = Math.max(...releases.map(({ id }) => id));
  const query = releases.length > 0 ? `?firmware=${newest}` : "";
  return [`/ota-management/rollouts/new${query}`, "Plan a rollout"];
}
