// A person's hands at the page: the clock, and what is wired to the devices or around them.

import type { Desk } from "../../desk/desk.js";
import type { Action } from "./action.js";

export function carryOut({ world, devices }: Desk, action: Action): void {
  switch (action.type) {
    case "pause":
      return world.pause();
    case "resume":
      return world.resume();
    case "speed":
      return world.changeSpeed(action.speed ?? undefined);
    default: {
      const device = devices.find(({ name }) => name === action.device);
      if (!device) return;
      if (action.type === "drive") return world.post(() => device.pins.drive(action.pin, action.level));
      const { temperatureC, humidityPercent } = action;
      return world.post(() => device.surroundWith({ temperatureC, humidityPercent }));
    }
  }
}
