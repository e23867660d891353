// The main loop of a device: an event goes through its machine's step, the effects go to the adapters, and their results come back as
// events. It owns the only mutable state of the firmware. Events that arrive while effects are carried out are queued, so that core never
// sees one event inside another. An event is released before its effects begin: the text of a response, the largest of them, must not be
// in memory while the next request is made.

import Timer from "timer";
import type { Event, Stamped } from "../core/event.js";

/** Hands an event to the device: one of core's, or of the app's own. */
export type Dispatch<OwnEvent = never> = (event: Event | OwnEvent) => void;

/** What core cannot find out itself: see Stamp in core/event.ts. */
export interface Sources {
  /** Milliseconds since this boot. */
  uptimeMs(): number;
  /** 0 (included) to 1 (excluded). */
  random(): number;
  freeHeapBytes(): number;
}

/** What a device is: core's device, or one with an app's own machines beside it. */
export interface DeviceMachine<State, OwnEvent, Asked> {
  readonly initial: State;
  step(state: State, event: Stamped<Event | OwnEvent>): readonly [State, readonly Asked[]];
}

/** Effects by their type, each with the adapter that carries it out. */
export type Handlers<Asked extends { readonly type: string }> = {
  readonly [Type in Asked["type"]]: (effect: Extract<Asked, { readonly type: Type }>) => void;
};

export class Runner<State, OwnEvent extends { readonly type: string }, Asked> {
  readonly #machine: DeviceMachine<State, OwnEvent, Asked>;
  readonly #sources: Sources;
  readonly #carryOut: (effect: Asked) => void;
  readonly #queue: (Event | OwnEvent)[] = [];
  #state: State;
  #running = false;

  /** @param connect makes the adapters, and gives what carries an effect out with them */
  constructor(
    machine: DeviceMachine<State, OwnEvent, Asked>,
    sources: Sources,
    connect: (dispatch: Dispatch<OwnEvent>) => (effect: Asked) => void,
  ) {
    this.#machine = machine;
    this.#sources = sources;
    this.#state = machine.initial;
    // a bug restarts the device: an exception may be swallowed on its way out, by the SDK or by the firmware, so it is thrown again in its own turn
    this.#carryOut = connect((event) => {
      try {
        this.dispatch(event);
      } catch (error) {
        Timer.set(() => {
          throw error;
        }, 0);
        throw error;
      }
    });
  }

  dispatch(event: Event | OwnEvent): void {
    this.#queue.push(event);
    if (this.#running) return;
    this.#running = true;
    while (this.#queue.length > 0) {
      const effects = this.#step();
      // by index: this runs for each piece of an image, and an iterator costs as much on XS as a machine
      for (let i = 0; i < effects.length; i++) this.#carryOut(effects[i] as Asked);
    }
    this.#running = false;
  }

  /** A separate function, so that nothing on the stack holds the event when it returns. */
  #step(): readonly Asked[] {
    const event = this.#queue.shift() as Event | OwnEvent;
    const [after, effects] = this.#machine.step(this.#state, {
      ...event,
      at: this.#sources.uptimeMs(),
      random: this.#sources.random(),
      freeHeapBytes: this.#sources.freeHeapBytes(),
    });
    this.#state = after;
    if (event.type === "textCollected") release(event as Extract<Event, { readonly type: "textCollected" }>);
    return effects;
  }
}

/** The dispatching code is still running, and holds the event. */
function release(event: { text: string }): void {
  event.text = "";
}
