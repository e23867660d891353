// What a kind of input is: a generator, and a way to feed an input to a device. Types only.

import type { Random } from "../values.js";
import type { FuzzApp, Ground, Start } from "./ground.js";
import type { House } from "./house.js";

/** Reasons of restarts that someone with the right may ask for. */
export type Restart = "owner" | "factory-reset" | "roll-back" | "order" | "update" | "trial" | "network";

export interface Input {
  /** For people: what is sent. */
  readonly text: string;
  /** Restarts that it may bring about. */
  readonly allows?: readonly Restart[];
  /** @returns the class of the answer. @throws Fault */
  feed(house: House): Promise<string>;
}

export interface Kind {
  readonly name: string;
  /** What the inputs are, for people. */
  readonly what: string;
  /** Batches of this kind in a round. */
  readonly share: number;
  readonly start: Start;
  /** What the device is; absent: `base`. */
  readonly app?: FuzzApp;
  /** The device is brought into the state in which it takes the inputs; absent: it is switched on and has checked. */
  readonly begin?: (house: House) => Promise<void>;
  /** What has to work still when the inputs are over, besides what every device does. @throws Fault */
  readonly after?: (house: House) => Promise<void>;
  /** Number N of a seed is always the same. */
  make(random: Random, ground: Ground): Input;
}
