// The app's part of a device: built when core starts it, not before, and (but for its light) not in safe mode. What it throws is reported to
// core once per boot and stops nothing else: a wrong pin in a build must not prevent the update that corrects it.

import Timer from "timer";
import type { Booted } from "../core/event.js";
import type { Section } from "../core/section.js";
import type { Status } from "../core/status.js";
import type { AppControl } from "./carry-out.js";
import type { Native } from "./native.js";
import type { Dispatch, Handlers } from "./runner.js";

/** An app: functions that build its part when core starts it. It touches no hardware before. */
export interface App<OwnEvent = never, Own extends { readonly type: string } = never> {
  /** The keys in NVS that are its own, with the longest value of each: see core/stored.ts. */
  readonly stores?: Readonly<Record<string, number>>;
  /** Something other than the light can show a person which device this is. */
  readonly canIdentify?: boolean;
  /** The settings that the app has, for its pages; in safe mode too, so that a setting that crashes it can be changed. */
  readonly section?: (facts: Booted) => Section;
  /** Builds what shows the status, such as an LED; in safe mode too, as long as that does not crash either. Absent: no light. */
  readonly connectLight?: (() => Display) | undefined;
  /**
   * Builds what carries out effects of the app's own that its updates need, such as a radio: before the first event, and in safe mode too.
   * What it throws leaves the device without.
   */
  readonly connectLink?: (board: Board<OwnEvent>) => Partial<Handlers<Own>>;
  /** Builds and starts what the app has besides Wi-Fi, portal and update. Not in safe mode (core/trial/crash-guard.ts). */
  readonly connect?: (board: Board<OwnEvent>) => AppPart<Own>;
}

/** What an app's adapters are built with. */
export interface Board<OwnEvent> {
  readonly facts: Booted;
  readonly dispatch: Dispatch<OwnEvent>;
  readonly native: Native;
}

/** Shows the status of the device. */
export interface Display {
  showStatus?(status: Status): void;
}

export interface AppPart<Own extends { readonly type: string } = never> extends Display {
  /** A setting was stored in NVS. */
  onStore?(key: string, value: string): void;
  /** What carries out the effects that only this app has, but for those of its link. */
  readonly handlers?: Partial<Handlers<Own>>;
}

export class AppHost<OwnEvent, Own extends { readonly type: string }> implements AppControl {
  readonly #app: App<OwnEvent, Own>;
  readonly #dispatch: Dispatch<OwnEvent>;
  readonly #native: Native;
  #facts: Booted | undefined;
  /** Shown last: what is built later begins with it. */
  #status: Status | undefined;
  #light: Display | undefined;
  #link: Partial<Handlers<Own>> | undefined;
  #part: AppPart<Own> | undefined;
  #hasFailed = false;

  constructor(app: App<OwnEvent, Own>, dispatch: Dispatch<OwnEvent>, native: Native) {
    this.#app = app;
    this.#dispatch = dispatch;
    this.#native = native;
  }

  /** The facts of the boot with what the app adds to them. */
  booted(found: Booted): Booted {
    const { canIdentify, connectLight, connectLink, section } = this.#app;
    const facts = {
      ...found,
      canIdentify: canIdentify ?? connectLight !== undefined,
      section: this.#attempt(() => section?.(found)),
    };
    this.#facts = facts;
    if (connectLink) this.#link = this.#attempt(() => connectLink(this.#board(facts)));
    return facts;
  }

  startLight(): void {
    this.#light = this.#attempt(() => this.#app.connectLight?.());
    this.#show(this.#light);
  }

  start(): void {
    const facts = this.#facts;
    const { connect } = this.#app;
    if (!facts || !connect) return;
    this.#part = this.#attempt(() => connect(this.#board(facts)));
    this.#show(this.#part);
  }

  showStatus(status: Status): void {
    this.#status = status;
    this.#show(this.#light);
    this.#show(this.#part);
  }

  stored(key: string, value: string): void {
    const part = this.#part;
    if (part?.onStore) this.#attempt(() => part.onStore?.(key, value));
  }

  /** An effect of the app's own. */
  carryOut(effect: Own): void {
    const type = effect.type as Own["type"];
    const handler = (this.#link?.[type] ?? this.#part?.handlers?.[type]) as
      | ((effect: Own) => void)
      | undefined;
    if (handler) this.#attempt(() => handler(effect));
  }

  #board(facts: Booted): Board<OwnEvent> {
    return { facts, dispatch: this.#dispatch, native: this.#native };
  }

  /** Without a display no closure is made either: this runs during updates. */
  #show(display: Display | undefined): void {
    const status = this.#status;
    if (display?.showStatus && status) this.#attempt(() => display.showStatus?.(status));
  }

  #attempt<Result>(act: () => Result): Result | undefined {
    try {
      return act();
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  /** In a turn of its own, so that the boot is dispatched first. */
  #fail(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    Timer.set(
      () => this.#dispatch({ type: "appFailed", message: String(error).slice(0, MAX_MESSAGE_LENGTH) }),
      0,
    );
  }
}

/** It is kept in NVS when it ends a trial. */
const MAX_MESSAGE_LENGTH = 200;
