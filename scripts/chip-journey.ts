// `npm run chip-journey`: takes a real device, an emulated chip or a virtual device through everything that an update involves, by its serial
// line and its network, and prints a table. It is the test of a board, and ends with 1 if a step failed.
//
//   a board, whose network is this computer's:
//     mcconfig -m -i -p esp32/esp32c3 server=http://192.168.1.10:8080          -i: the log prints the heap of XS every second
//     npm run chip-journey -- --image-a …/xs_esp32.bin --key release.jwk --token TOKEN --listen 0.0.0.0:8080 --serial /dev/ttyUSB0
//
//   an emulator, whose ports are forwarded:
//     … --serial 127.0.0.1:5555 --page 127.0.0.1:8081 --push 127.0.0.1:13232 --power-off 'kill $(cat chip.pid)' --power-on ./start-chip
//
//   a virtual device (`skyslot sim --flash FILE --portal-port 8081 --push-port 13232 --server URL > LOG`): the same, with --serial LOG
//
// A device with Wi-Fi must have joined its network before. The script starts its own update server, at the address that the firmware was built
// for. One image is enough: copies of it with higher versions, and padded ones, serve as updates. Images that must be rolled
// back have to be supplied: one that throws or loops in `connect`, and one that throws while its modules load. The owner's token is set on a device
// that has none and was just plugged in. The last step is a factory reset; --only selects steps. Power is switched by the commands that
// are given, such as uhubctl, or by a person who is asked to. Only one program can open a serial port: quit xsbug and serial2xsbug.

import { appendFile, readFile } from "node:fs/promises";
import { Command } from "commander";
import { readPrivateKey } from "../release/keys.js";
import {
  describeFailure,
  printJson,
  printLine,
  redirectOutput,
  UsageError,
  wholeNumber,
} from "../server/cli/output.js";
import type { Address } from "./chip-journey/device-door.js";
import { openFront } from "./chip-journey/front.js";
import { type Images, Journey } from "./chip-journey/journey.js";
import { MemoryLog } from "./chip-journey/memory-log.js";
import { openPower } from "./chip-journey/power.js";
import { walk } from "./chip-journey/run.js";
import { openScreen } from "./chip-journey/screen.js";
import { SerialLine } from "./chip-journey/serial-line.js";
import { type Outcome, printOutcomes } from "./chip-journey/table.js";

interface Flags {
  readonly imageA: string;
  readonly imageB?: string;
  readonly imageThrows?: string;
  readonly imageHangs?: string;
  readonly imageDies?: string;
  readonly key: string;
  readonly token: string;
  readonly listen: Address;
  readonly page?: Address;
  readonly push?: Address;
  readonly serial?: string;
  readonly baud: number;
  readonly serialLog?: string;
  readonly powerOff?: string;
  readonly powerOn?: string;
  readonly cutAt?: number;
  readonly patience: number;
  readonly only: readonly string[];
  readonly json?: boolean;
}

const program = new Command("chip-journey")
  .description("walk a device through updates, bad images and abuse")
  .requiredOption("--image-a <file>", "image that runs on the device")
  .option("--image-b <file>", "a newer one (a copy of the first under a higher version)")
  .option("--image-throws <file>", "one that throws an error")
  .option("--image-hangs <file>", "one that loops forever")
  .option("--image-dies <file>", "one that fails while its modules load")
  .requiredOption("--key <file>", "private release key whose public part the images trust (release.jwk)")
  .requiredOption("--token <token>", "the owner's token: the device's own, or the one that it is given")
  .requiredOption(
    "--listen <host:port>",
    "where the server listens, so that it is where the images look for it",
    address,
  )
  .option("--page <host:port>", "where the device's port 80 is reached (port 80 at its own address)", address)
  .option("--push <host:port>", "where its port 3232 is reached (port 3232 at its own address)", address)
  .option("--serial <line>", "its serial line: /dev/…, HOST:PORT, or a file that grows")
  .option("--baud <rate>", "speed of a serial port", wholeNumber, 115_200)
  .option("--serial-log <file>", "adds what the serial line says to this file")
  .option("--power-off <command>", "takes the power from the device (a person is asked to)")
  .option("--power-on <command>", "gives it back; what lasts has to be in the background")
  .option("--cut-at <kilobytes>", "where the power is cut in an update (its middle)", wholeNumber)
  .option(
    "--patience <factor>",
    "for slow emulators: all limits of time are that many times as long",
    Number,
    1,
  )
  .option("--only <part...>", "only steps with this in their name, and those that others depend on", [])
  .option("--json", "print one JSON object; everything else goes to standard error")
  .action(run);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`chip-journey: ${describeFailure(error)}\n`);
  process.exitCode = 1;
}

async function run(flags: Flags): Promise<void> {
  if ((flags.powerOff === undefined) !== (flags.powerOn === undefined))
    throw new UsageError("--power-off and --power-on come together");
  const out = flags.json ? process.stderr : process.stdout;
  const restoreOutput = redirectOutput((text) => out.write(text));
  const screen = openScreen(out);
  const memory = new MemoryLog();
  const serial = openSerial(flags, memory);
  const front = await openFront({ ...flags.listen, onCheck: ({ free_heap }) => memory.noteHeap(free_heap) });
  const journey = new Journey({
    images: await readImages(flags),
    key: readPrivateKey(await readFile(flags.key, "utf8"), flags.key),
    token: flags.token,
    front,
    serial,
    memory,
    power: openPower(flags, process.stdin.isTTY === true && !flags.json),
    page: flags.page,
    push: flags.push,
    cutAtBytes: flags.cutAt === undefined ? undefined : flags.cutAt * 1024,
    patience: flags.patience,
    say: screen.say,
  });
  try {
    const outcomes = await walk(journey, screen, flags.only);
    printOutcomes(outcomes);
    if (journey.lostRequestCount > 0) {
      printLine();
      printLine(`requests that were closed without an answer and sent again: ${journey.lostRequestCount}`);
    }
    restoreOutput();
    printSummary(outcomes, journey, flags);
  } finally {
    await journey.restoreSettings();
    serial?.close();
    await front.close();
  }
}

function printSummary(outcomes: readonly Outcome[], journey: Journey, flags: Flags): void {
  const ok = outcomes.every(({ result }) => result !== "failed");
  process.exitCode = ok ? 0 : 1;
  if (!flags.json) return;
  const device = journey.parts.front.checks.at(-1);
  printJson({
    ok,
    device: device && { id: device.device_id, chip: device.chip, hardware: device.hardware },
    lostRequestCount: journey.lostRequestCount,
    steps: outcomes,
  });
}

function openSerial(flags: Flags, memory: MemoryLog): SerialLine | undefined {
  const { serial, baud, serialLog } = flags;
  if (serial === undefined) return undefined;
  let written = Promise.resolve();
  return new SerialLine(serial, baud, (line) => {
    memory.record(line);
    if (serialLog !== undefined) written = written.then(() => appendFile(serialLog, `${line}\n`));
  });
}

async function readImages(flags: Flags): Promise<Images> {
  const read = async (file: string | undefined) => (file === undefined ? undefined : readFile(file));
  return {
    a: await readFile(flags.imageA),
    b: await read(flags.imageB),
    throws: await read(flags.imageThrows),
    hangs: await read(flags.imageHangs),
    dies: await read(flags.imageDies),
  };
}

function address(text: string): Address {
  const [, host, port] = /^([\w.-]+|\[[\da-f:]+\]):(\d{1,5})$/i.exec(text) ?? [];
  if (host === undefined) throw new UsageError(`"${text}" is not HOST:PORT`);
  return { host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
}
