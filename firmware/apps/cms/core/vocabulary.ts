// What can happen to the `cms` app and what it can do, besides what core's event.ts and effect.ts say of every device.

import type { Effect, TimerEffect } from "../../../core/effect.js";
import type { Event, TimerFired } from "../../../core/event.js";

export type CmsTimer = "content" | "readings" | "sleep";

export type OwnEvent =
  | TimerFired<CmsTimer>
  | { readonly type: "panelDrawn" }
  | { readonly type: "panelFailed"; readonly message: string };

/** A picture or a card for the panel; answered by panelDrawn or panelFailed. */
export interface DrawPanel {
  readonly type: "drawPanel";
  readonly width: number;
  readonly height: number;
  /** Holds the rows from `offset` on: packed from the highest bit, 1 being black. */
  readonly bytes: Uint8Array;
  readonly offset: number;
}

/** Reads the sensors; answered by readingsTaken. */
export interface SampleSensors {
  readonly type: "sampleSensors";
}

/** Ends this boot: the radio is off and all RAM is lost until the chip wakes by its clock. */
export interface DeepSleep {
  readonly type: "deepSleep";
  readonly durationMs: number;
}

/** What only this app has an adapter for. */
export type OwnEffect = DrawPanel | SampleSensors | DeepSleep;

export type CmsEvent = Event | OwnEvent;
export type CmsEffect = Effect | TimerEffect<CmsTimer> | OwnEffect;

const OWN_TIMERS: readonly string[] = Object.freeze(["content", "readings", "sleep"] satisfies CmsTimer[]);

/** Whether an event is the app's alone; every other one is for the device too. */
export const isOwn = <Any extends CmsEvent>(event: Any): event is Any & OwnEvent =>
  event.type === "panelDrawn" ||
  event.type === "panelFailed" ||
  (event.type === "timerFired" && OWN_TIMERS.includes(event.timer));
