// `base` with the led's settings, and a probe beside its core: it traces what a tester wants to know of each step, and changes nothing.

import config from "mc/config";
import { ledSection } from "../../../../firmware/apps/led/core/settings.js";
import { step } from "../../../../firmware/core/device.js";
import { type DeviceState, initialDevice } from "../../../../firmware/core/device-state.js";
import type { Effect } from "../../../../firmware/core/effect.js";
import { startMachine } from "../../../../firmware/platform/start.js";

/** Effects of one event, at most. */
const MAX_EFFECTS = 64;
/** On XS the JSON of the state is larger than the state. */
const { measuresState = false } = config as { readonly measuresState?: boolean };

startMachine<DeviceState, never, never>(
  {
    initial: initialDevice,
    step(state, event) {
      const [next, effects] = step(state, event);
      if (effects.length > MAX_EFFECTS) trace(`probe: many ${effects.length} effects of one ${event.type}\n`);
      for (const effect of effects) tell(effect, next);
      return [next, effects];
    },
  },
  { section: ({ identity: { chip } }) => ledSection({ chip, statusPin: undefined }) },
);

function tell(effect: Effect, state: DeviceState): void {
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
const sizeOf = (state: DeviceState): number =>
  JSON.stringify(state, (name, value) => (BUILT.includes(name) ? undefined : value)).length;

const BUILT: readonly string[] = Object.freeze(["boot", "page", "info"]);
