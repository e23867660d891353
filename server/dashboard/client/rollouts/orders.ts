// The actions on a rollout in each of its states. Pure; the server checks them again.

import type { RolloutView } from "../../../shared/rollout-view.js";

export type Order = "start" | "approve" | "pause" | "resume" | "promote" | "cancel" | "rollback";

type Facts = Pick<
  RolloutView,
  "state" | "stage" | "created_by" | "edited_by" | "needs_approval" | "approved_by"
> & {
  readonly stages: readonly unknown[];
};

/** In the order of the buttons. @param name the user */
export function ordersFor(rollout: Facts, name: string): readonly Order[] {
  switch (rollout.state) {
    case "draft":
      return ["start", "cancel"];
    case "awaiting_approval":
      return [rollout.created_by, rollout.edited_by].includes(name) ? ["cancel"] : ["approve", "cancel"];
    case "scheduled":
      return ["pause", "cancel"];
    case "running":
      return [
        "pause",
        ...(rollout.stage + 1 < rollout.stages.length ? (["promote"] as const) : []),
        "cancel",
        "rollback",
      ];
    case "paused":
      return ["resume", "cancel", "rollback"];
    case "finished":
      return ["rollback"];
    case "cancelled":
      return [];
  }
}

/** An ended rollout cannot be edited. */
export const mayEdit = ({ state }: Pick<Facts, "state">): boolean =>
  state !== "finished" && state !== "cancelled";

interface OrderWords {
  readonly name: string;
  readonly what: string;
  readonly isDangerous?: boolean;
}
export const ORDER_WORDS: Readonly<Record<Order, OrderWords>> = Object.freeze({
  start: {
    name: "Start",
    what: "The first stage opens, and its devices are offered the release at their next check.",
  },
  approve: { name: "Approve", what: "You approve another person's rollout, and it begins." },
  pause: { name: "Pause", what: "Nothing more is offered. Devices that are updating now finish." },
  resume: { name: "Resume", what: "It continues. The gates count only what happens from now on." },
  promote: { name: "Open next stage", what: "The next stage opens now, without waiting for evidence." },
  cancel: {
    name: "Cancel",
    what: "It ends permanently. Devices that have the release keep it.",
    isDangerous: true,
  },
  rollback: {
    name: "Roll back",
    what: "It ends, and the devices that run its release are offered another, all at once.",
    isDangerous: true,
  },
});
