// Runs inside XS before anything else, in the machine that is shared: hands Node's modules over, and freezes the built-in objects,
// as preloading does on the device.

/** The exports of an SDK module, from Node. */
export const namespace = operation(0);

delete globalThis.operation;
for (const name of Object.getOwnPropertyNames(globalThis)) {
  const value = globalThis[name];
  if (value !== globalThis && (typeof value === "function" || typeof value === "object") && value)
    Object.freeze(value, true);
}
