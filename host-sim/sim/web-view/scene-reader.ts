// All devices of a desk at one moment, as the page draws them: what each runs, how far its update is, and who speaks to whom. Read from outside.

import type { Desk } from "../../desk/desk.js";
import type { VirtualDevice } from "../../device/device.js";
import type { Watch } from "../../device/watch.js";
import { type Facts, factsOf } from "./facts.js";
import { LinkMeter, type SceneLink } from "./links.js";
import { type TargetImage, type UpdateState, updateState } from "./update-state.js";

export interface Scene {
  /** On the world's clock. */
  readonly seconds: number;
  /** Times as fast as the wall clock; null: as fast as it can. */
  readonly speed: number | null;
  readonly isPaused: boolean;
  /** What happens now, in a sentence; "": nobody says. */
  readonly step: string;
  /** Whether it is over, and how it ended. */
  readonly end: "" | "good" | "bad";
  /** What the server offers, as far as it is known: "node 1.1.0". */
  readonly offers: readonly string[];
  readonly devices: readonly SceneDevice[];
  readonly links: readonly SceneLink[];
}

export interface SceneDevice {
  readonly name: string;
  /** The device type, or the app. */
  readonly type: string;
  readonly chip: string;
  readonly power: Facts["state"];
  readonly version: string;
  readonly update: UpdateState;
}

export interface SceneSubject {
  readonly device: VirtualDevice;
  readonly watch: Watch;
  /** Absent: the app. */
  readonly type?: string;
}

/** The image that devices of a type are to get, or this one of them, if it is known. */
export type TargetOf = (type: string, device?: string) => TargetImage | undefined;

/** Reads a scene when asked; each tells of the time since the one before. */
export class SceneReader {
  step = "";
  end: Scene["end"] = "";
  readonly #desk: Desk;
  readonly #subjects: readonly SceneSubject[];
  readonly #target: TargetOf;
  readonly #links: LinkMeter;

  constructor(desk: Desk, subjects: readonly SceneSubject[], target: TargetOf = () => undefined) {
    this.#desk = desk;
    this.#subjects = subjects;
    this.#target = target;
    this.#links = new LinkMeter(desk);
  }

  take(): Scene {
    const { world } = this.#desk;
    const devices = this.#subjects.map((subject) => this.#describe(subject));
    return {
      seconds: Math.floor(world.nowMs / 1000),
      speed: world.speed ?? null,
      isPaused: world.isPaused,
      step: this.step,
      end: this.end,
      offers: [...new Set(devices.map(({ type }) => type))].flatMap((type) => {
        const image = this.#target(type);
        return image ? [`${type} ${image.version}`] : [];
      }),
      devices,
      links: this.#links.take(),
    };
  }

  #describe({ device, watch, type }: SceneSubject): SceneDevice {
    const { app, chip, state, version } = factsOf(device);
    const kind = type ?? app;
    const update = updateState(device, watch, this.#target(kind, device.name));
    return { name: device.name, type: kind, chip, power: state, version, update };
  }
}
