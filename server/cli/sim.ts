// `skyslot sim`: virtual devices. `sim run` runs any module file as the app of a new one.

import { type Command, Option } from "commander";
import type { Engine } from "../../host-sim/engine/engine.js";
import { defined } from "../shared/defined.js";
import { positive } from "./demo.js";
import { UsageError, wholeNumber } from "./output.js";
import { readServerOption } from "./server-url.js";
import { addFlashCommands, type FirmwareFlags, saveFlash, startingFlash, withFirmware } from "./sim-flash.js";

interface SimFlags extends FirmwareFlags {
  readonly flash?: string;
  readonly server: string;
  readonly manual?: boolean;
  readonly speed?: number;
  readonly portalPort?: number;
  readonly pushPort?: number;
  readonly viewPort?: number;
  readonly show?: string;
}

interface RunFlags {
  readonly network?: string;
  readonly interface: "unlinked" | "none";
  readonly engine: "v8" | "xs";
}

export function simCommand(program: Command): void {
  const sim = program
    .command("sim")
    .description("run firmware on virtual devices; without a subcommand: one device, in real time")
    .option("--flash <file>", "file with the device's flash, updated at the end; created if missing")
    .option("--server <url>", "update server on this machine", readServerOption, "http://127.0.0.1:8080")
    .option("--manual", "go through the setup portal in your own browser")
    .option("--speed <factor>", "times faster than real time", positive)
    .option("--show <folder>", "save pictures of the device's LEDs and panel to this folder")
    .option("--view-port <port>", "port of the live view of the device (default: any free port)", wholeNumber)
    .option("--portal-port <port>", "port of the device's own pages (default: any free port)", wholeNumber)
    .option(
      "--push-port <port>",
      "port for images that are pushed to the device; 0: any free port",
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
  const { HOME, OWNER_TOKEN } = await import("../../host-sim/desk/desk.js");
  const { startSim } = await import("../../host-sim/sim/sim.js");
  const { createPrintableTerminal } = await import("./printable-terminal.js");
  const { isLoopback } = await import("../api/guard.js");
  const url = new URL(flags.server);
  if (url.protocol !== "http:" || !isLoopback(url.hostname)) {
    throw new UsageError(`${flags.server} is not an http server on this machine`);
  }
  const device = await startingFlash(flags);
  const terminal = createPrintableTerminal(process.stdout);
  const sim = await startSim({
    ...device,
    terminal,
    loopbackPort: Number(url.port || 80),
    manual: flags.manual ?? false,
    show: flags.show,
    ...defined({
      speed: flags.speed,
      viewPort: flags.viewPort,
      portalPort: flags.portalPort,
      pushPort: flags.pushPort,
    }),
  });
  const flashMegabytes = sim.device.flash.sizeBytes / 2 ** 20;
  terminal.done(`virtual ESP32 with ${flashMegabytes} MB flash is running; its own pages: ${sim.portalUrl}/`);
  terminal.note(`live view: ${sim.viewUrl}/`);
  if (sim.pushUrl !== undefined) terminal.note(`push images to ${sim.pushUrl}`);
  if (flags.manual) terminal.note(`set it up there: choose "${HOME.ssid}", password ${HOME.password}`);
  else terminal.note(`its owner's token, set during setup: ${OWNER_TOKEN}`);
  process.once("SIGINT", () => sim.stop());
  process.once("SIGTERM", () => sim.stop());
  await sim.run(() => false);
  if (flags.flash !== undefined) {
    await saveFlash(flags.flash, sim.device.flash);
    terminal.note(`its flash is saved in ${flags.flash}`);
  }
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
