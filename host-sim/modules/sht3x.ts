// `embedded:sensor/Humidity-Temperature/SHT3x`: the SDK's driver over the bus class that firmware passes to it. As there: each command is
// followed by 50 ms of waiting, a value with a wrong checksum is left out, and errors of the bus are not caught.

import type { Machine } from "../machine/machine.js";
import { createHandles } from "./handle.js";
import { sensorChecksum } from "./i2c.js";
import type { Callback, Dictionary, Native } from "./native.js";

const SOFT_RESET = 0x30a2;
const MEASURE = 0x2c06;
const READ_STATUS = 0xf32d;
const CLEAR_STATUS = 0x3041;
const COMMAND_MS = 50;
const ADDRESS = 0x44;
const HZ = 1_000_000;

interface Bus {
  write(bytes: ArrayBuffer): void;
  read(bytes: ArrayBuffer): void;
  close(): void;
}

interface Sensor {
  readonly bus: Bus;
  readonly onError: Callback | undefined;
}

export function createSht3x(machine: Machine, native: Native): object {
  const sensors = createHandles<Sensor>(machine);

  function command(bus: Bus, code: number): void {
    bus.write(native.arrayBuffer(Uint8Array.of(code >> 8, code & 255)));
    machine.wait(COMMAND_MS);
  }

  function read(bus: Bus, length: number): Uint8Array {
    const buffer = native.arrayBuffer(new Uint8Array(length));
    bus.read(buffer);
    return new Uint8Array(buffer);
  }

  class SHT3x {
    constructor(...parameters: [unknown?]) {
      const options = parameters[0] as Dictionary | undefined;
      const wiring = options?.sensor as (Dictionary & { io: new (options: object) => Bus }) | undefined;
      if (!wiring) throw native.coerced();
      const bus = new wiring.io(native.object({ hz: HZ, address: ADDRESS, ...wiring }));
      command(bus, SOFT_RESET);
      sensors.open(this, { bus, onError: native.callback(options, "onError") });
    }

    sample(): object {
      const { bus, onError } = sensors.stateOf(this);
      command(bus, MEASURE);
      const values = read(bus, 6);
      command(bus, READ_STATUS);
      const status = read(bus, 3);
      if (sensorChecksum(status.subarray(0, 2)) !== status[2]) onError?.call(undefined, "bad checksum");
      command(bus, CLEAR_STATUS);
      const temperature = wordOf(values.subarray(0, 3));
      const humidity = wordOf(values.subarray(3, 6));
      return native.object({
        hygrometer: native.object(humidity === undefined ? {} : { humidity: (humidity * 100) / 65_535 }),
        thermometer: native.object(
          temperature === undefined ? {} : { temperature: (temperature * 175) / 65_535 - 45 },
        ),
      });
    }

    close(): void {
      sensors.stateOf(this).bus.close();
      sensors.close(this);
    }
  }
  return SHT3x;
}

/** Undefined: its checksum is wrong. */
function wordOf(bytes: Uint8Array): number | undefined {
  return sensorChecksum(bytes.subarray(0, 2)) === bytes[2] ? bytes[0]! * 256 + bytes[1]! : undefined;
}
