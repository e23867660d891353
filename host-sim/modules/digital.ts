// `embedded:io/digital`, outputs only: keeps levels and which pins are in use, and reports each change to the machine's observer.
// Inputs are refused: nothing is connected to a virtual device.

import { isOutput } from "../hardware/gpio.js";
import type { Machine } from "../machine/machine.js";
import { createHandles } from "./handle.js";
import type { Dictionary, Native } from "./native.js";

const OUTPUT = 8;
const OUTPUT_OPEN_DRAIN = 9;

interface Output {
  readonly pin: number;
  readonly activeLow: boolean;
}

export function createDigital(machine: Machine, native: Native): object {
  const outputs = createHandles<Output>(machine);
  const used = new Set<number>();

  function show({ pin, activeLow }: Output, value: unknown): void {
    const level = (native.number(value) !== 0) !== activeLow ? 1 : 0;
    machine.onLight?.({ type: "pin", pin, level });
  }

  class Digital {
    static readonly Output = OUTPUT;
    static readonly OutputOpenDrain = OUTPUT_OPEN_DRAIN;

    constructor(...parameters: [unknown?]) {
      native.needArguments(parameters, 1);
      const options = (parameters[0] ?? {}) as Dictionary;
      if (options.pin === undefined) throw native.error("invalid");
      const pin = native.integer(options.pin);
      if (used.has(pin)) throw native.error("in use");
      const mode = native.integer(options.mode);
      if (mode !== OUTPUT && mode !== OUTPUT_OPEN_DRAIN) throw native.rangeError("invalid mode");
      if (!isOutput(machine.chip, pin)) throw native.error("invalid pin");
      const output = { pin, activeLow: Boolean(options.activeLow) };
      used.add(pin);
      outputs.open(this, output);
      show(output, options.initialValue ?? 0);
    }

    write(...parameters: [unknown?]): void {
      const output = outputs.stateOf(this);
      show(output, parameters[0] ?? 0);
    }

    close(): void {
      const output = outputs.close(this);
      if (output) used.delete(output.pin);
    }
  }
  return Digital;
}
