// What a person may do with a rollout, and what follows. Pure: the state machine of shared/rollout.ts, one function a command.
// Cancelling works from every state and nothing leads out of it; what needs approval is never opened without it.

import type { Rollout, RolloutState } from "../shared/rollout.js";
import type { Advance } from "./advance.js";

export type Command =
  | { readonly kind: "start" }
  | { readonly kind: "approve" }
  | { readonly kind: "pause"; readonly reason: string }
  | { readonly kind: "resume" }
  | { readonly kind: "promote" }
  | { readonly kind: "cancel"; readonly reason: string };

export type Changed = Pick<
  Rollout,
  "state" | "reason" | "stage" | "stageSince" | "gatesSince" | "approvedBy" | "startedAt" | "endedAt"
>;
type CommandResult =
  | { readonly ok: true; readonly rollout: Rollout }
  | {
      readonly ok: false;
      readonly code: "STATE_WRONG" | "SAME_PERSON" | "LAST_STAGE";
      readonly message: string;
    };

/** States from which a command leads on. */
const FROM: Readonly<Record<Exclude<Command["kind"], "cancel">, readonly RolloutState[]>> = Object.freeze({
  start: ["draft"],
  approve: ["draft", "awaiting_approval"],
  pause: ["scheduled", "running"],
  resume: ["paused"],
  promote: ["running"],
});

/** @param actor the name of the person who commands it */
export function command(rollout: Rollout, order: Command, actor: string, now: number): CommandResult {
  if (order.kind === "cancel") return cancel(rollout, order.reason, actor, now);
  const from = FROM[order.kind];
  if (!from.includes(rollout.state)) {
    return refuse(
      "STATE_WRONG",
      `rollout ${rollout.id} is ${rollout.state}: only a rollout that is ${from.join(" or ")} can be ${PAST[order.kind]}`,
    );
  }
  switch (order.kind) {
    case "start":
      return succeed(rollout, now, open(rollout, `started by ${actor}`, now));
    case "approve":
      return approve(rollout, actor, now);
    case "pause":
      return succeed(rollout, now, { state: "paused", reason: order.reason || `paused by ${actor}` });
    case "resume":
      return succeed(rollout, now, { ...open(rollout, `resumed by ${actor}`, now), gatesSince: now });
    case "promote": {
      const stage = rollout.stage + 1;
      const next = rollout.stages[stage];
      if (!next)
        return refuse("LAST_STAGE", `rollout ${rollout.id} is in its last stage, ${stage} of ${stage}`);
      return succeed(rollout, now, {
        stage,
        stageSince: now,
        reason: `stage "${next.name}" opened by ${actor}, without waiting for evidence`,
      });
    }
  }
}

const PAST = Object.freeze({
  start: "started",
  approve: "approved",
  pause: "paused",
  resume: "resumed",
  promote: "promoted",
});

/** A rollout after a step of its own. `undefined`: nothing changed. */
export function applyAdvance(rollout: Rollout, step: Advance, now: number): Rollout | undefined {
  switch (step.kind) {
    case "stay":
      return undefined;
    case "start":
      return { ...rollout, ...running(rollout, step.reason, now), updatedAt: now };
    case "pause":
      return { ...rollout, state: "paused", reason: step.reason, updatedAt: now };
    case "promote":
      return { ...rollout, stage: step.stage, stageSince: now, reason: step.reason, updatedAt: now };
    case "finish":
      return { ...rollout, state: "finished", reason: step.reason, endedAt: now, updatedAt: now };
  }
}

function cancel(rollout: Rollout, reason: string, actor: string, now: number): CommandResult {
  if (rollout.state === "cancelled") return { ok: true, rollout };
  return succeed(rollout, now, {
    state: "cancelled",
    reason: reason || `cancelled by ${actor}`,
    endedAt: now,
  });
}

function approve(rollout: Rollout, actor: string, now: number): CommandResult {
  const { id, createdBy, editedBy, state } = rollout;
  if (actor === createdBy || actor === editedBy) {
    const did = actor === createdBy ? "made" : "changed";
    return refuse("SAME_PERSON", `${actor} ${did} rollout ${id}: another person has to approve it`);
  }
  const approved = { ...rollout, approvedBy: actor };
  const reason = `approved by ${actor}`;
  return succeed(approved, now, state === "draft" ? { reason } : open(approved, reason, now));
}

/** The state of a rollout that is to go on: approved, begun or waiting for either. */
export function open(rollout: Rollout, reason: string, now: number): Partial<Changed> {
  const { needsApproval, approvedBy, startAt } = rollout;
  if (needsApproval && approvedBy === null)
    return { state: "awaiting_approval", reason: `${reason}, another person has to approve it` };
  return startAt !== null && startAt > now
    ? { state: "scheduled", reason: `${reason}, begins at ${new Date(startAt).toISOString()}` }
    : running(rollout, reason, now);
}

const running = (rollout: Rollout, reason: string, now: number): Partial<Changed> => ({
  state: "running",
  reason,
  startedAt: rollout.startedAt ?? now,
  ...(rollout.startedAt === null ? { stageSince: now } : {}),
});

const succeed = (rollout: Rollout, now: number, changes: Partial<Changed>): CommandResult => ({
  ok: true,
  rollout: { ...rollout, ...changes, updatedAt: now },
});
const refuse = (code: "STATE_WRONG" | "SAME_PERSON" | "LAST_STAGE", message: string): CommandResult => ({
  ok: false,
  code,
  message,
});
