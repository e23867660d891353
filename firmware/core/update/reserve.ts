// Several devices begin to be updated together: a download or a push of anything else ends here, so that the slot is free for what they are to
// have. What is being armed is not stopped halfway, and what is staged stays, but cannot start (reservation.ts).

import { answer } from "./pushed-update.js";
import { isReserved, reservedFor } from "./reservation.js";
import { failAttempt } from "./retry.js";
import { enter, nextAttempt, nextCheck, type Reservation, type Step, type UpdateState } from "./state.js";

export function reserve(state: UpdateState, reserved: Reservation, random: number): Step {
  const next: UpdateState = { ...state, reserved };
  if (next.phase === "verifying") return notVerified(next, next.unverified, random);
  if (!("job" in next) || next.phase === "arming" || next.phase === "staging") return [next, []];
  const { job } = next;
  if (!isReserved(next, job.release.imageSha256, job.hold)) return [next, []];
  const message = `the update was given up: ${reserved.reason}`;
  return failAttempt(next, job, { code: "ABANDONED", message }, random);
}

/** Nothing has been written: the server hears nothing of it, and its offer comes again; the sender of a push can try again. */
function notVerified(
  state: UpdateState,
  { kind, offer, release }: Extract<UpdateState, { readonly phase: "verifying" }>["unverified"],
  random: number,
): Step {
  if (!isReserved(state, release.imageSha256, offer.hold)) return [state, []];
  const idle = enter(state, { phase: "idle", attempt: nextAttempt(state) });
  const told = kind === "push" ? [answer(offer, 409, reservedFor(state) ?? "")] : [];
  return [idle, [...told, nextCheck(idle, random)]];
}
