// Host objects of the SDK's storage modules: an object of firmware and the native state behind it, which close takes away.
// Errors are those of XS for an object that was closed or was never of the class.

import type { Machine } from "../machine.js";

/** The states of one class's objects in one boot. */
export interface Handles<State extends object> {
  /** Makes `object` a host object. */
  open(object: object, state: State): void;
  /** @throws SyntaxError of the realm when `object` is closed or none */
  stateOf(object: unknown): State;
  /** Takes the state away; undefined if it is gone already. */
  close(object: object): State | undefined;
}

export function createHandles<State extends object>(machine: Machine): Handles<State> {
  const states = new WeakMap<object, State | undefined>();
  return {
    open: (object, state) => states.set(object, state),
    stateOf(object) {
      const isObject = typeof object === "object" && object !== null;
      const state = isObject ? states.get(object) : undefined;
      if (state !== undefined) return state;
      const problem = isObject && states.has(object) ? "invalid host data" : "not a host object";
      throw new machine.realm.SyntaxError(`C: xsGetHostChunk: ${problem}`);
    },
    close(object) {
      const state = states.get(object);
      if (states.has(object)) states.set(object, undefined);
      return state;
    },
  };
}

/** Only the module itself can construct such a class: firmware gets a TypeError without a message. */
export const CONSTRUCT = Symbol("construct");
