// What can happen at a node's pins, and what it can do there, besides what core knows of every device. Nothing of it is needed for updates: in safe
// mode no pin is touched.

import type { Effect, TimerEffect } from "../../../core/effect.js";
import type { Event, TimerFired } from "../../../core/event.js";

export type RoleTimer = "role.input" | "role.sample" | "role.signal";

export type PinEvent =
  /** Also once at the start. Contacts bounce: it comes for each edge. */
  | { readonly type: "inputChanged"; readonly isActive: boolean }
  /** DHT_BYTES as the sensor sent them. */
  | { readonly type: "climateRead"; readonly bytes: Uint8Array }
  | { readonly type: "climateFailed"; readonly message: string };

export type PinEffect =
  | { readonly type: "writeLight"; readonly isOn: boolean }
  /** Takes some 25 ms. Answered by climateRead or climateFailed. */
  | { readonly type: "readClimate" };

export type RoleEvent = PinEvent | TimerFired<RoleTimer>;
export type RoleEffect = PinEffect | TimerEffect<RoleTimer>;

export type OwnEvent<Base> = Base | Event | PinEvent;
export type OwnEffect<Base> = Base | Effect | RoleEffect;

/** Whether an event is for the role alone. */
export const isOfRole = <Any extends { readonly type: string }>(event: Any): event is Any & RoleEvent =>
  event.type === "inputChanged" ||
  event.type === "climateRead" ||
  event.type === "climateFailed" ||
  (event.type === "timerFired" && String((event as { readonly timer?: unknown }).timer).startsWith("role."));
