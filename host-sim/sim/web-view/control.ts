// The world's clock in the hands of a person at the page.

import type { World } from "../../world/world.js";
import type { ClockAction } from "./action.js";

export function controlClock(world: World, action: ClockAction): void {
  switch (action.type) {
    case "pause":
      return world.pause();
    case "resume":
      return world.resume();
    case "speed":
      return world.changeSpeed(action.speed ?? undefined);
  }
}
