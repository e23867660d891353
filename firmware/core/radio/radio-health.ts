// Whether a device's ESP-NOW works. A failure is told once, and the radio is started anew, by its user at the user's own pace, until a frame has
// gone out. Pure: starts nothing itself.
//
//   well ─ refused ─► down ─ started anew ─► unproved ─ a frame has gone out ─► well
//                      ▲                        │ refused
//                      └────────────────────────┘

import type { Effect } from "../effect.js";
import type { RadioEvent } from "./vocabulary.js";

export type RadioHealth = "well" | "down" | "unproved";

type Refused = Extract<RadioEvent, { readonly type: "radioFailed" }>;

/** What the log is told of a radio that has refused to start, or a channel that every radio has: nothing, if it has been told. */
export const refusalTold = (
  health: RadioHealth,
  { message }: Refused,
): readonly Extract<Effect, { readonly type: "log" }>[] =>
  health === "well" ? [{ type: "log", level: "error", message: `the radio has failed: ${message}` }] : [];

/** A frame has gone out, or not: to all it always has, unless the driver refused it. */
export const provedBy = (
  health: RadioHealth,
  { isAcknowledged }: Extract<RadioEvent, { readonly type: "frameSent" }>,
): RadioHealth => (isAcknowledged ? "well" : health);
