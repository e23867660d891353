// `skyslot sim`: virtual devices. `sim run` runs any module file as the app of a new one.

import { join, parse } from "node:path";
import { type Command, Option } from "commander";
import type { DeskDevice } from "../../host-sim/desk/desk.js";
import type { Engine } from "../../host-sim/engine/engine.js";
import type { Chip } from "../../host-sim/hardware/chips.js";
import type { SimDevice } from "../../host-sim/sim/sim.js";
import type { Terminal } from "../../host-sim/sim/terminal.js";
import { defined } from "../shared/defined.js";
import { saveChip } from "./chip-files.js";
import { positive } from "./demo.js";
import { chipOption } from "./flash.js";
import { UsageError, wholeNumber } from "./output.js";
import { readServerOption } from "./server-url.js";
import {
  addFlashCommands,
  type FirmwareFlags,
  type ServerFlags,
  startingFlash,
  withFirmware,
} from "./sim-flash.js";
import { type ScenarioFlags, simulateScenario } from "./sim-scenario.js";

interface SimFlags extends FirmwareFlags, ServerFlags, Omit<ScenarioFlags, "scenario"> {
  readonly scenario?: string;
  readonly flash?: string;
  readonly server: string;
  readonly manual?: boolean;
  readonly speed?: number;
  readonly count: number;
  readonly id?: string;
  readonly chip?: Chip;
  readonly pagePort?: number;
  readonly pushPort?: number;
  readonly viewPort?: number;
  readonly show?: string;
}

/** Each has a flash of 8 MB, and is a chip that computes in real time. */
const MAX_DEVICE_COUNT = 50;

interface RunFlags {
  readonly network?: string;
  readonly interface: "unlinked" | "none";
  readonly engine: "v8" | "xs";
}

export function simCommand(program: Command): void {
  const sim = program
    .command("sim")
    .description(
      "run firmware on virtual devices; without a subcommand: in real time, one or --count of them",
    )
    .option(
      "--flash <file>",
      "file with the device's flash, updated at the end; created if missing; eFuses go to FILE.efuse",
    )
    .option(
      "--server <url>",
      "update server on this machine, by http or https",
      readServerOption,
      "http://127.0.0.1:8080",
    )
    .option(
      "--authority <file...>",
      "without --image: certification authorities that the firmware trusts, such as tls/ca.crt",
    )
    .option("--count <n>", `number of devices, up to ${MAX_DEVICE_COUNT}`, deviceCount, 1)
    .option("--id <name>", "id of the device; with --count: NAME-1, NAME-2 … (default: from its MAC address)")
    .addOption(chipOption())
    .option("--manual", "go through the setup portal in your own browser")
    .option("--speed <factor>", "times faster than real time", positive)
    .option("--scenario <file>", "run a scenario of many devices: a JSON file, or pair, or mesh")
    .option("--nodes <n>", "with --scenario mesh: number of nodes (default: 5)", wholeNumber)
    .option("--loss <share>", "with --scenario: share of frames that a device misses, 0 to 1", share)
    .option("--seed <number>", "with --scenario: all that is random follows from it", wholeNumber)
    .option("--json", "with --scenario: print one JSON object")
    .option("--verbose", "with --scenario: print what the devices log")
    .option("--show <folder>", "save pictures of the devices' LEDs and panels to this folder")
    .option("--view", "with --scenario: show a live view of the devices and their links")
    .option(
      "--view-port <port>",
      "port of the live view of the devices (default: any free port)",
      wholeNumber,
    )
    .option(
      "--page-port <port>",
      "port of the device's own pages; other devices have the following ports (default: any free port)",
      wholeNumber,
    )
    .option(
      "--push-port <port>",
      "port for images that are pushed to the device, by HTTP or espota; other devices have the following ports; 0: any free port (default: 3232 on 127.0.0.1, 127.0.0.2 …)",
      wholeNumber,
    )
    .action(simulate);
  withFirmware(sim);
  addFlashCommands(sim);
  sim
    .command("run <file>")
    .description("run a module file as the app of a new virtual device, and print its trace output")
    .option("--network <file>", 'JSON file with the access point in range: {"ssid", "password"}')
    .addOption(
      new Option("--interface <kind>", "initial network interface: without a link (only 127.0.0.1), or none")
        .choices(["unlinked", "none"])
        .default("unlinked"),
    )
    .addOption(
      new Option(
        "--engine <engine>",
        "JavaScript engine: Node's V8, or XS as on the chip (built when first used)",
      )
        .choices(["v8", "xs"])
        .default("v8"),
    )
    .action(async (file: string, flags: RunFlags) => {
      const { runProgram } = await import("../../host-sim/sim/run-program.js");
      process.exitCode = await runProgram(file, {
        out: (text) => process.stdout.write(text),
        err: (text) => process.stderr.write(text),
        interface: flags.interface,
        ...defined({
          engine: flags.engine === "xs" ? await startXs() : undefined,
          network: flags.network === undefined ? undefined : await readNetwork(flags.network),
        }),
      });
    });
}

async function simulate(flags: SimFlags): Promise<void> {
  const { scenario } = flags;
  if (scenario !== undefined) return simulateScenario({ ...flags, scenario });
  const { HOME, OWNER_TOKEN } = await import("../../host-sim/desk/desk.js");
  const { startSim } = await import("../../host-sim/sim/sim.js");
  const { createPrintableTerminal } = await import("./printable-terminal.js");
  const { simServer } = await import("./sim-server.js");
  const server = await simServer(flags.server);
  const terminal = createPrintableTerminal(process.stdout);
  const sim = await startSim({
    devices: await devicesOf({ ...flags, serverUrl: server.url }),
    terminal,
    serverUrl: server.url,
    loopbackPort: server.port,
    manual: flags.manual ?? false,
    show: flags.show,
    ...defined({
      speed: flags.speed,
      viewPort: flags.viewPort,
      portalPort: flags.pagePort,
      pushPort: flags.pushPort,
    }),
  });
  for (const one of sim.devices) introduce(terminal, one);
  terminal.note(`live view: ${sim.viewUrl}/`);
  if (flags.manual) terminal.note(`set them up there: choose "${HOME.ssid}", password ${HOME.password}`);
  else terminal.note(`the owner's token, set during setup: ${OWNER_TOKEN}`);
  process.once("SIGINT", () => sim.stop());
  process.once("SIGTERM", () => sim.stop());
  await sim.run(() => false);
  for (const [index, { device }] of sim.devices.entries()) {
    const file = flashFileOf(flags, index);
    if (file === undefined) continue;
    const efuses = await saveChip(file, device);
    const also = efuses === undefined ? "" : `, its eFuses in ${efuses}`;
    terminal.note(`the flash of ${device.name} is saved in ${file}${also}`);
  }
}

function introduce(terminal: Terminal, { device, portalUrl, pushUrl, espota, problem }: SimDevice): void {
  const megabytes = device.flash.sizeBytes / 2 ** 20;
  terminal.done(
    `${device.name}: virtual ${device.chip} with ${megabytes} MB flash; its pages: ${portalUrl}/`,
  );
  terminal.note(`push images to ${pushUrl}, or by espota to ${espota.address} port ${espota.port}`);
  if (problem !== undefined) terminal.note(problem);
}

/** Their firmware is built or read once. */
async function devicesOf(flags: SimFlags): Promise<readonly DeskDevice[]> {
  const { chipOfImage } = await import("../../host-sim/flash-file/open.js");
  const devices: DeskDevice[] = [];
  let fresh: Awaited<ReturnType<typeof startingFlash>> | undefined;
  for (let index = 0; index < flags.count; index++) {
    const flash = flashFileOf(flags, index);
    const found =
      flash === undefined && fresh ? fresh : await startingFlash({ ...flags, ...defined({ flash }) });
    if ("image" in found) fresh ??= found;
    const chip = "image" in found ? (chipOfImage(found.image) ?? flags.chip) : found.chip;
    if (chip !== undefined && flags.chip !== undefined && chip !== flags.chip)
      throw new UsageError(`the firmware is for ${chip}, not for ${flags.chip}`);
    const number = flags.count === 1 ? "" : `-${index + 1}`;
    const id = flags.id === undefined ? undefined : `${flags.id}${number}`;
    devices.push({ ...found, name: `device${index === 0 ? "" : number}`, ...defined({ chip, id }) });
  }
  return devices;
}

/** `device.flash`, `device-2.flash` … */
function flashFileOf({ flash }: SimFlags, index: number): string | undefined {
  if (flash === undefined || index === 0) return flash;
  const { dir, name, ext } = parse(flash);
  return join(dir, `${name}-${index + 1}${ext}`);
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 1))
    throw new UsageError(`--loss ${text} is not a number from 0 to 1`);
  return value;
}

function deviceCount(text: string): number {
  const count = wholeNumber(text);
  if (count < 1 || count > MAX_DEVICE_COUNT)
    throw new UsageError(`--count ${text}: there can be 1 to ${MAX_DEVICE_COUNT} devices`);
  return count;
}

async function startXs(): Promise<Engine> {
  const { buildXs } = await import("../../host-sim/xs/build.js");
  const { xsEngine } = await import("../../host-sim/xs/engine.js");
  return xsEngine({ program: buildXs().program });
}

async function readNetwork(file: string): Promise<{ readonly ssid: string; readonly password?: string }> {
  const { readFile } = await import("node:fs/promises");
  const { ssid, password } = JSON.parse(await readFile(file, "utf8")) as {
    ssid?: unknown;
    password?: unknown;
  };
  if (typeof ssid !== "string" || ssid === "" || Buffer.byteLength(ssid) > 32) {
    throw new UsageError(`${file} needs an "ssid" of 1 to 32 bytes`);
  }
  if (password !== undefined && typeof password !== "string")
    throw new UsageError(`"password" in ${file} is not a string`);
  return { ssid, ...defined({ password }) };
}
