// The loop of a device: an event goes through its machine's step, its effects go to the adapters, and what they answer comes back as
// events. It owns the only mutable state of the firmware. Events that arrive while effects are carried out wait their turn, so
// core never sees one event inside another. An event is let go before what it led to begins: the text of an answer, which is the
// largest of them, must not lie in memory while the next request is made.

import Timer from "timer";
import type { Event, Stamped } from "../core/event.js";

/** Hands an event to the device: one of core's, or of the app's own. */
export type Dispatch<OwnEvent = never> = (event: Event | OwnEvent) => void;

/** The things core cannot make: see Stamped in core/event.ts. */
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
    this.#carryOut = connect((event) => this.#dispatchOrRestart(event));
  }

  dispatch(event: Event | OwnEvent): void {
    this.#queue.push(event);
    if (this.#running) return;
    this.#running = true;
    while (this.#queue.length > 0) for (const effect of this.#hear()) this.#carryOut(effect);
    this.#running = false;
  }

  /** A bug restarts the device. What is thrown may be swallowed on its way out, by the SDK or by us; so it is thrown again, by itself. */
  #dispatchOrRestart(event: Event | OwnEvent): void {
    try {
      this.dispatch(event);
    } catch (error) {
      Timer.set(() => {
        throw error;
      }, 0);
      throw error;
    }
  }

  /** A function of its own, so that nothing on the stack holds the event when it returns. */
  #hear(): readonly Asked[] {
    const event = this.#queue.shift() as Event | OwnEvent;
    const [after, effects] = this.#machine.step(this.#state, {
      ...event,
      at: this.#sources.uptimeMs(),
      random: this.#sources.random(),
      freeHeapBytes: this.#sources.freeHeapBytes(),
    });
    this.#state = after;
    if (event.type === "textCollected") letGo(event as Extract<Event, { readonly type: "textCollected" }>);
    return effects;
  }
}

/** Who dispatched it is still at it, and holds the event. */
function letGo(event: { text: string }): void {
  event.text = "";
}
