// `embedded:io/digital`: inputs and outputs. Keeps levels and which pins are in use, and reports each change to the machine's observer. As in the
// SDK, edges that come before `onReadable` has run are one, it runs as a turn of its own, and a level that is back by then is read as it is.

import { isOutput, isPin } from "../hardware/gpio.js";
import type { Level } from "../hardware/pins.js";
import type { Machine } from "../machine/machine.js";
import { createHandles } from "./handle.js";
import type { Dictionary, Native } from "./native.js";

const INPUT_PULL_UP = 1;
const LAST_INPUT = 3;
const OUTPUT = 8;
const OUTPUT_OPEN_DRAIN = 9;
const RISING = 1;
const FALLING = 2;

interface Pin {
  readonly pin: number;
  readonly mode: number;
  readonly activeLow: boolean;
  readonly isInput: boolean;
}

export function createDigital(machine: Machine, native: Native): object {
  const open = createHandles<Pin>(machine);
  const used = new Set<number>();

  function show({ pin, activeLow }: Pin, value: unknown): void {
    const level = (native.number(value) !== 0) !== activeLow ? 1 : 0;
    machine.onLight?.({ type: "pin", pin, level });
  }

  const levelOf = ({ pin, mode }: Pin): Level => machine.pins.levelOf(pin, mode === INPUT_PULL_UP ? 1 : 0);

  /** An interrupt for each edge, and a message for the firmware unless one is waiting. */
  function listen(input: Pin, edges: number, call: () => void): void {
    let last = levelOf(input);
    let isWaiting = false;
    machine.onSense?.({ type: "input", pin: input.pin, level: last });
    machine.pins.listen(input.pin, () => {
      const level = levelOf(input);
      if (level === last) return;
      last = level;
      machine.onSense?.({ type: "input", pin: input.pin, level });
      const isRising = (level === 1) !== input.activeLow;
      if (!(edges & (isRising ? RISING : FALLING)) || isWaiting) return;
      isWaiting = true;
      machine.after(0, () => {
        isWaiting = false;
        if (used.has(input.pin)) call();
      });
    });
  }

  function read(input: Pin): Level {
    return input.activeLow ? (levelOf(input) === 1 ? 0 : 1) : levelOf(input);
  }

  class Digital {
    static readonly Input = 0;
    static readonly InputPullUp = INPUT_PULL_UP;
    static readonly InputPullDown = 2;
    static readonly InputPullUpDown = LAST_INPUT;
    static readonly Output = OUTPUT;
    static readonly OutputOpenDrain = OUTPUT_OPEN_DRAIN;
    static readonly Rising = RISING;
    static readonly Falling = FALLING;

    constructor(...parameters: [unknown?]) {
      native.needArguments(parameters, 1);
      const options = (parameters[0] ?? {}) as Dictionary;
      if (options.pin === undefined) throw native.error("invalid");
      const pin = native.integer(options.pin);
      if (!isPin(machine.chip, pin)) throw native.error("invalid pin");
      if (used.has(pin)) throw native.error("in use");
      const mode = native.integer(options.mode);
      const isInput = mode >= 0 && mode <= LAST_INPUT;
      if (!isInput && mode !== OUTPUT && mode !== OUTPUT_OPEN_DRAIN) throw native.rangeError("invalid mode");
      const edges = native.integer(options.edge ?? 0) & (RISING | FALLING);
      const onReadable = isInput ? native.callback(options, "onReadable") : undefined;
      if (onReadable && edges === 0) throw native.rangeError("invalid edges");
      if (!isInput && !isOutput(machine.chip, pin)) throw native.rangeError("input only");
      const opened = { pin, mode, activeLow: Boolean(options.activeLow), isInput };
      used.add(pin);
      open.open(this, opened);
      if (!isInput) show(opened, options.initialValue ?? 0);
      else listen(opened, onReadable ? edges : 0, () => onReadable?.call(this, 1));
    }

    read(): Level {
      const input = open.stateOf(this);
      if (!input.isInput) throw native.error("can't read output");
      return read(input);
    }

    write(...parameters: [unknown?]): void {
      const output = open.stateOf(this);
      if (output.isInput) throw native.error("can't write input");
      show(output, parameters[0] ?? 0);
    }

    close(): void {
      const closed = open.close(this);
      if (!closed) return;
      used.delete(closed.pin);
      if (closed.isInput) machine.pins.forget(closed.pin);
    }
  }
  return Digital;
}
