// Host objects of the SDK's storage modules: an object of firmware and its native state, which close removes.
// Errors are those of XS for an object that was closed or was never of the class.

import type { Machine } from "../machine/machine.js";

/** The states of one class's objects in one boot. */
export interface Handles<State extends object> {
  /** Makes `object` a host object. */
  open(object: object, state: State): void;
  /** @throws SyntaxError of the realm when `object` is closed or none */
  stateOf(object: unknown): State;
  /** Removes the state; undefined if it is gone already. @throws SyntaxError of the realm when `object` was never one */
  close(object: unknown): State | undefined;
}

export function createHandles<State extends object>(machine: Machine): Handles<State> {
  const states = new WeakMap<object, State | undefined>();
  const invalid = (problem: string) => new machine.realm.SyntaxError(`C: xsGetHostChunk: ${problem}`);

  /** Open or closed. */
  function hostObject(value: unknown): object {
    if (typeof value === "object" && value !== null && states.has(value)) return value;
    throw invalid("not a host object");
  }

  return {
    open: (object, state) => states.set(object, state),
    stateOf(object) {
      const state = states.get(hostObject(object));
      if (state === undefined) throw invalid("invalid host data");
      return state;
    },
    close(object) {
      const host = hostObject(object);
      const state = states.get(host);
      states.set(host, undefined);
      return state;
    },
  };
}

/** Only the module itself can construct such a class: firmware gets a TypeError without a message. */
export const CONSTRUCT = Symbol("construct");
