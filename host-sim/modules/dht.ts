// The virtual function of firmware/apps/node/pins/skyslot-dht.c, with a DHT22 on the pin: what is around the device, as its 40 bits.

import { ESP_ERROR_CODES } from "../hardware/esp-error.js";
import { isOutput } from "../hardware/gpio.js";
import type { Machine } from "../machine/machine.js";

const BYTES = 5;
/** The request, which other tasks run in; then the answer, in which the chip is busy. */
const REQUEST_MS = 20;
const ANSWER_MS = 5;

type BufferOf = (value: unknown, byteLength: number) => Uint8Array;

/** @param bufferOf a firmware's buffer of at least this size */
export function dhtFunctions(machine: Machine, bufferOf: BufferOf): Record<string, unknown> {
  return {
    skyslot_dht_read(pin: unknown, buffer: unknown) {
      const number = Number(pin) >>> 0;
      const bytes = bufferOf(buffer, BYTES);
      if (!isOutput(machine.chip, number)) return ESP_ERROR_CODES.ESP_ERR_INVALID_ARG;
      machine.wait(REQUEST_MS);
      bytes.fill(0, 0, BYTES);
      const { temperatureC, humidityPercent, hasSensor } = machine.surroundings();
      if (!hasSensor) return ESP_ERROR_CODES.ESP_ERR_TIMEOUT;
      machine.compute(ANSWER_MS);
      const humidity = Math.round(humidityPercent * 10);
      const tenths = Math.round(Math.abs(temperatureC) * 10);
      bytes[0] = humidity >> 8;
      bytes[1] = humidity;
      bytes[2] = (tenths >> 8) | (temperatureC < 0 ? 0x80 : 0);
      bytes[3] = tenths;
      bytes[4] = bytes[0]! + bytes[1]! + bytes[2]! + bytes[3]!;
      machine.onSense?.({ type: "climate", pin: number, temperatureC, humidityPercent });
      return 0;
    },
  };
}
