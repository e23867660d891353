// The pins of a node's role, through `embedded:io/digital` and skyslot-dht.c: raises what happens at them, and does what its machine says. Decides
// nothing. A pin that cannot be used is an error of the app's part, which updates survive.

import Digital from "embedded:io/digital";
import type { AppPart } from "../../../platform/app-host.js";
import type { Native } from "../../../platform/native.js";
import type { Dispatch } from "../../../platform/runner.js";
import { DHT_BYTES } from "../core/dht.js";
import { INPUT_SIGNALS, type Role } from "../core/role.js";
import type { PinEffect, PinEvent } from "../core/vocabulary.js";

export interface Pins {
  readonly inputPin: number;
  readonly lightPin: number;
  readonly dhtPin: number;
}

export function connectPins(
  role: Role,
  { inputPin, lightPin, dhtPin }: Pins,
  { dispatch, native }: { readonly dispatch: Dispatch<PinEvent>; readonly native: Native },
): AppPart<PinEffect> {
  if (INPUT_SIGNALS[role] !== undefined) listen(role, inputPin, dispatch);
  const light = role === "led" ? new Digital({ pin: lightPin, mode: Digital.Output }) : undefined;
  return {
    handlers: {
      writeLight: ({ isOn }) => light?.write(isOn ? 1 : 0),
      readClimate: () => dispatch(readClimate(dhtPin, native)),
    },
  };
}

/** A sensor drives its line high; a button connects it to ground. */
function listen(role: Role, pin: number, dispatch: Dispatch<PinEvent>): void {
  const isButton = role !== "pir";
  const input: Digital = new Digital({
    pin,
    mode: isButton ? Digital.InputPullUp : Digital.InputPullDown,
    activeLow: isButton,
    edge: Digital.Rising | Digital.Falling,
    onReadable() {
      dispatch({ type: "inputChanged", isActive: input.read() === 1 });
    },
  });
  dispatch({ type: "inputChanged", isActive: input.read() === 1 });
}

function readClimate(pin: number, native: Native): PinEvent {
  const bytes = new ArrayBuffer(DHT_BYTES);
  const error = native.skyslot_dht_read(pin, bytes);
  return error === 0
    ? { type: "climateRead", bytes: new Uint8Array(bytes) }
    : { type: "climateFailed", message: `pin ${pin}: ${error === TIMEOUT ? "no answer" : `error ${error}`}` };
}

/** ESP_ERR_TIMEOUT. */
const TIMEOUT = 0x107;
