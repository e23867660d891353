// `embedded:io/i2c` with one thing on the bus: an SHT3x at address 0x44 or 0x45, which answers as its datasheet says (Sensirion
// SHT3x-DIS, section 4). No other address acknowledges.

import { isOutput } from "../hardware/gpio.js";
import type { Machine } from "../machine/machine.js";
import { createHandles } from "./handle.js";
import type { Dictionary, Native } from "./native.js";

const SENSOR_ADDRESSES: readonly number[] = [0x44, 0x45];
/** Commands, two bytes. */
const MEASURE = 0x2c06;
const READ_STATUS = 0xf32d;
const MAX_HZ = 20_000_000;
/** A bus transfer of a few bytes. */
const TRANSFER_MS = 0.3;
const MEASURE_MS = 15;

interface Port {
  readonly name: string;
  readonly address: number;
  command: number;
}

export function createI2c(machine: Machine, native: Native): object {
  const ports = createHandles<Port>(machine);
  const used = new Set<string>();

  function answers({ address }: Port): boolean {
    machine.wait(TRANSFER_MS);
    return SENSOR_ADDRESSES.includes(address) && machine.surroundings().hasSensor;
  }

  class I2C {
    constructor(...parameters: [unknown?]) {
      native.needArguments(parameters, 1);
      const options = (parameters[0] ?? {}) as Dictionary;
      for (const name of ["data", "clock", "address"])
        if (options[name] === undefined) throw native.rangeError(`${name} required`);
      const [data, clock, address] = [options.data, options.clock, options.address].map(native.integer);
      if (address! < 0 || address! > 127) throw native.rangeError("invalid address");
      const name = `${data} ${clock} ${address}`;
      if (used.has(name)) throw native.rangeError("duplicate address");
      if (!isOutput(machine.chip, data!) || !isOutput(machine.chip, clock!))
        throw native.rangeError("unusable pins");
      const hz = native.integer(options.hz);
      if (hz <= 0 || hz > MAX_HZ) throw native.rangeError("invalid hz");
      used.add(name);
      ports.open(this, { name, address: address!, command: 0 });
    }

    write(...parameters: [unknown?]): void {
      const port = ports.stateOf(this);
      native.needArguments(parameters, 1);
      const bytes = native.bytesOf(parameters[0]);
      if (!answers(port)) throw native.error("write failed");
      port.command = bytes.length === 2 ? bytes[0]! * 256 + bytes[1]! : 0;
    }

    read(...parameters: [unknown?]): number {
      const port = ports.stateOf(this);
      native.needArguments(parameters, 1);
      const bytes = native.bytesOf(parameters[0]);
      const answer = answers(port) ? answerOf(port.command, machine) : undefined;
      if (answer === undefined) throw native.error("read failed");
      bytes.set(answer.subarray(0, bytes.length));
      return bytes.length;
    }

    close(): void {
      const port = ports.close(this);
      if (port) used.delete(port.name);
    }
  }
  return I2C;
}

/** What the sensor sends after a command; undefined: it does not acknowledge. */
function answerOf(command: number, machine: Machine): Uint8Array | undefined {
  if (command === READ_STATUS) return withChecksums([0]);
  if (command !== MEASURE) return undefined;
  machine.wait(MEASURE_MS); // the clock is stretched meanwhile
  const { temperatureC, humidityPercent } = machine.surroundings();
  return withChecksums([((temperatureC + 45) / 175) * 65_535, (humidityPercent / 100) * 65_535]);
}

/** Words of 16 bits, each with its CRC-8 (polynomial 0x31, initial 0xff). */
function withChecksums(words: readonly number[]): Uint8Array {
  return Uint8Array.from(
    words.flatMap((value) => {
      const word = Math.max(0, Math.min(65_535, Math.round(value)));
      const bytes = [word >> 8, word & 255];
      return [...bytes, sensorChecksum(bytes)];
    }),
  );
}

export function sensorChecksum(bytes: Iterable<number>): number {
  let crc = 0xff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80 ? ((crc << 1) ^ 0x31) & 255 : crc << 1;
  }
  return crc;
}
