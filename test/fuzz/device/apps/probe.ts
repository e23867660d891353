// A probe beside the machine of a device under the fuzz: it traces what a tester wants to know of each step, and changes nothing.

import config from "mc/config";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { Stamped } from "../../../../firmware/core/event.js";

/** Effects of one event, at most. */
const MAX_EFFECTS = 64;
/** On XS the JSON of the state is larger than the state. */
const { measuresState = false } = config as { readonly measuresState?: boolean };

type Step<State, Event extends { readonly type: string }, Own extends { readonly type: string }> = (
  state: State,
  event: Event,
) => readonly [State, readonly Own[]];

export function probed<State, Event extends { readonly type: string }, Own extends { readonly type: string }>(
  step: Step<State, Event, Own>,
): Step<State, Event, Own> {
  return (state, event) => {
    const [next, effects] = step(state, event);
    if (effects.length > MAX_EFFECTS) trace(`probe: many ${effects.length} effects of one ${event.type}\n`);
    for (const effect of effects) tell(effect as unknown as Effect, next);
    // a device without a network starts no request of its own: its state is measured when it says that it is there
    if (measuresState && isBeat(event as unknown as Stamped)) trace(`probe: state ${sizeOf(next)}\n`);
    return [next, effects];
  };
}

const isBeat = (event: Stamped): boolean => event.type === "timerFired" && `${event.timer}` === "radio.seek";

function tell(effect: Effect, state: unknown): void {
  switch (effect.type) {
    case "startRequest":
      if (measuresState && effect.request.url.endsWith("/api/ota/check"))
        trace(`probe: state ${sizeOf(state)}\n`);
      return;
    case "save":
      for (const next of effect.next ?? []) tell(next, state);
      return;
    case "restart":
      return trace(`probe: restart ${effect.reason}\n`);
    case "rollBack":
      return trace("probe: restart roll-back\n");
    case "beginTrial":
      return trace("probe: restart trial\n");
  }
}

/** Characters of what the device remembers, without what it was built with. */
const sizeOf = (state: unknown): number =>
  JSON.stringify(state, (name, value) => (BUILT.includes(name) ? undefined : value)).length;

const BUILT: readonly string[] = Object.freeze(["boot", "page", "info"]);
