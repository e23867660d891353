// `neopixel` without hardware: stores the pixels as the driver does, and reports what would be sent to the machine's observer. Draws no
// picture of it. The driver's quirks are kept: it does not check the pin, and ESP-IDF then aborts.

import { isOutput } from "../hardware/gpio.js";
import { type Machine, RESET_REASON } from "../machine/machine.js";
import { createHandles } from "./handle.js";
import type { Dictionary, Native } from "./native.js";

/** The driver's default: a quarter of the light. */
const FIRST_BRIGHTNESS = 0x40;

interface Strip {
  readonly pin: number;
  /** Such as `GRB`. */
  readonly order: string;
  /** One number a pixel, in the strip's order. */
  readonly pixels: Uint32Array;
  brightness: number;
}

export function createNeoPixel(machine: Machine, native: Native): object {
  const strips = createHandles<Strip>(machine);

  class NeoPixel {
    constructor(...parameters: [unknown?]) {
      native.needArguments(parameters, 1);
      const strip = readOptions((parameters[0] ?? {}) as Dictionary, native);
      strips.open(this, strip);
      if (!isOutput(machine.chip, strip.pin)) machine.restart(RESET_REASON.panic); // ESP_ERROR_CHECK
      show(machine, strip);
    }

    close(): void {
      const strip = strips.close(this);
      if (strip) show(machine, { ...strip, pixels: new Uint32Array(strip.pixels.length) });
    }

    update(): void {
      show(machine, strips.stateOf(this));
    }

    makeRGB(...channels: unknown[]): number {
      const { order } = strips.stateOf(this);
      native.needArguments(channels, 3);
      let colour = 0;
      for (const [index, channel] of ["R", "G", "B", "W"].entries()) {
        const place = order.indexOf(channel);
        if (place >= 0)
          colour |= (native.integer(channels[index]) & 0xff) << (8 * (order.length - 1 - place));
      }
      return colour;
    }

    setPixel(...parameters: unknown[]): void {
      const { pixels } = strips.stateOf(this);
      native.needArguments(parameters, 2);
      const index = native.integer(parameters[0]);
      if (index >= 0 && index < pixels.length) pixels[index] = Number(parameters[1]);
    }

    fill(...parameters: unknown[]): void {
      const { pixels } = strips.stateOf(this);
      native.needArguments(parameters, 1);
      const index = parameters.length > 1 ? native.integer(parameters[1]) : 0;
      const count = parameters.length > 2 ? native.integer(parameters[2]) : pixels.length;
      if (index >= 0 && count > 0) pixels.fill(Number(parameters[0]), index, index + count);
    }

    getPixel(...parameters: unknown[]): number | undefined {
      const { pixels, order } = strips.stateOf(this);
      native.needArguments(parameters, 1);
      const colour = pixels[native.integer(parameters[0])];
      return colour === undefined ? undefined : order.length === 3 ? colour & 0xffffff : colour;
    }

    get brightness(): number {
      return strips.stateOf(this).brightness;
    }

    set brightness(value: unknown) {
      strips.stateOf(this).brightness = Math.min(255, Math.max(0, native.integer(value)));
    }

    get length(): number {
      return strips.stateOf(this).pixels.length;
    }

    get byteLength(): number {
      const { pixels, order } = strips.stateOf(this);
      return pixels.length * order.length;
    }
  }
  return NeoPixel;
}

function readOptions(options: Dictionary, native: Native): Strip {
  const length = native.integer(options.length ?? 0);
  if (length === 0) throw native.rangeError("no pixels");
  const pin = "pin" in options ? native.integer(options.pin) : -1;
  if (pin < 0) throw native.rangeError("no pin");
  const order = native.text(options.order || "GRB");
  if (order.length !== 3 && order.length !== 4) throw native.error("invalid order");
  return { pin, order, pixels: new Uint32Array(length), brightness: FIRST_BRIGHTNESS };
}

function show(machine: Machine, { pin, order, pixels, brightness }: Strip): void {
  if (!machine.onLight) return;
  const shown = new Uint8Array(pixels.length * 3);
  for (const [index, colour] of pixels.entries()) {
    for (let place = 0; place < order.length; place += 1) {
      const channel = "RGB".indexOf(order[place] ?? "");
      const value = (colour >>> (8 * (order.length - 1 - place))) & 0xff;
      if (channel >= 0) shown[index * 3 + channel] = (value * brightness) >> 8;
    }
  }
  machine.onLight({ type: "strip", pin, pixels: shown });
}
