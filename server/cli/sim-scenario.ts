// `skyslot sim --scenario`: many virtual devices with an update server of their own, and what happens to them; in virtual time unless --speed is
// given. Prints the figures, and exits with 1 if what the scenario expects does not hold.

import type { ScenarioResult, ScenarioRun } from "../../host-sim/scenario/run.js";
import type { Scenario } from "../../host-sim/scenario/scenario.js";
import type { ScenarioView } from "../../host-sim/scenario/view.js";
import type { Terminal } from "../../host-sim/sim/terminal.js";
import { printJson, printLine, printTable, UsageError } from "./output.js";
import { createPrintableTerminal } from "./printable-terminal.js";

export interface ScenarioFlags {
  /** A file, or the name of one that is built in. */
  readonly scenario: string;
  readonly nodes?: number;
  readonly loss?: number;
  readonly seed?: number;
  readonly json?: boolean;
  readonly speed?: number;
  /** A page that shows it while it runs, and its end until it is interrupted. */
  readonly view?: boolean;
  readonly viewPort?: number;
  /** Print what the devices log. */
  readonly verbose?: boolean;
}

const DEFAULT_NODES = 5;
const DEFAULT_LOSS = 0.1;
/** Of a scenario that somebody watches, unless --speed says otherwise. */
const WATCHED_SPEED = 10;

export async function simulateScenario(flags: ScenarioFlags): Promise<void> {
  const { runScenario } = await import("../../host-sim/scenario/run.js");
  const { openScenarioView } = await import("../../host-sim/scenario/view.js");
  const { openScenarioServer } = await import("../demo/scenario-server.js");
  const scenario = await scenarioOf(flags);
  const terminal = createPrintableTerminal(flags.json ? process.stderr : process.stdout);
  let run: ScenarioRun | undefined;
  const open = await openScenarioServer(() => run?.desk.world.nowMs ?? 0);
  const { seed, devices } = scenario;
  const count = devices.reduce((sum, group) => sum + group.count, 0);
  terminal.note(
    `scenario ${scenario.name}: ${count} devices, ${Math.round(scenario.radio.loss * 100)} % of frames lost, seed ${seed}`,
  );
  const isWatched = flags.view === true || flags.viewPort !== undefined;
  let shown: ScenarioView | undefined;
  try {
    const result = await runScenario(scenario, {
      ...open,
      speed: flags.speed ?? (isWatched ? WATCHED_SPEED : undefined),
      onStep: (text) => {
        terminal.note(`${clock(run)} ${text}`);
        shown?.step(text);
      },
      onLight: (light, name) => shown?.show(name, light),
      onSense: (sense, name) => shown?.sense(name, sense),
      ...(flags.verbose ? { onTrace: (line, name) => terminal.note(`${clock(run)} ${name}: ${line}`) } : {}),
      onDesk: async (started) => {
        run = started;
        process.once("SIGINT", () => started.desk.world.stop());
        if (!isWatched) return;
        shown = await openScenarioView(started, flags.viewPort);
        terminal.note(`live view: ${shown.url}/`);
      },
      onSecond: (now) => showProgress(terminal, now),
    });
    if (flags.json) printJson(result);
    else printResult(terminal, result);
    process.exitCode = result.ok ? 0 : 1;
    shown?.end(result);
    if (shown && !flags.json) {
      terminal.note("the live view stays open until Ctrl-C");
      await interrupted();
    }
  } finally {
    shown?.close();
    await open.close();
  }
}

const interrupted = (): Promise<void> =>
  new Promise((resolve) => {
    // a server without connections keeps nobody waiting
    const waiting = setInterval(() => {}, 1 << 30);
    process.once("SIGINT", () => {
      clearInterval(waiting);
      resolve();
    });
  });

async function scenarioOf(flags: ScenarioFlags): Promise<Scenario> {
  const { PRESETS, presetScenario } = await import("../../host-sim/scenario/presets.js");
  const { readScenario, ScenarioError, MAX_DEVICES } = await import("../../host-sim/scenario/scenario.js");
  const { scenario: name, nodes = DEFAULT_NODES, loss = DEFAULT_LOSS, seed = 1 } = flags;
  const preset = PRESETS.find((known) => known === name);
  if (preset === "pair" && flags.nodes !== undefined)
    throw new UsageError("--nodes is for --scenario mesh: a pair has two devices");
  if (nodes < 1 || nodes > MAX_DEVICES - 1)
    throw new UsageError(`--nodes ${nodes}: there can be 1 to ${MAX_DEVICES - 1} nodes`);
  if (preset) return presetScenario(preset, { nodes, loss, seed });
  if (flags.nodes !== undefined) throw new UsageError("--nodes is for --scenario mesh: a file says itself");
  const { readFile } = await import("node:fs/promises");
  try {
    const read = readScenario(await readFile(name, "utf8"));
    return {
      ...read,
      ...(flags.seed === undefined ? {} : { seed }),
      radio: { ...read.radio, ...(flags.loss === undefined ? {} : { loss }) },
    };
  } catch (error) {
    if (error instanceof ScenarioError) throw new UsageError(`${name}: ${error.message}`);
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      throw new UsageError(
        `there is no file ${name}, and no scenario of that name: ${PRESETS.join(" and ")} are built in`,
      );
    throw error;
  }
}

/** How far the updates are, of all devices that take one. */
function showProgress(terminal: Terminal, { devices, published }: ScenarioRun): void {
  let done = 0;
  let total = 0;
  for (const { placed, watch } of devices) {
    const image = published.get(placed.type);
    if (!image) continue;
    total += image.bytes;
    const written = [...watch.slots.values()].reduce((sum, slot) => sum + slot.bytesWritten, 0);
    done += Math.min(image.bytes, written);
  }
  if (total > 0 && done < total) terminal.progress("updates", done, total);
}

function printResult(terminal: Terminal, result: ScenarioResult): void {
  printTable(
    ["device", "type", "version", "validated", "boots"],
    result.devices.map(({ name, type, version, validated, boots }) => [
      name,
      type,
      version,
      validated ? "yes" : "no",
      `${boots}`,
    ]),
  );
  printLine();
  printTable(
    ["frames in the air", "count"],
    [...Object.entries(result.frames).map(([kind, count]) => [kind, `${count}`])],
  );
  printLine();
  const { seconds, blockFramesPerPart } = result.transfer;
  terminal.note(
    `${result.framesPerPart} frames for each of ${result.sourceParts} parts while they were sent (${seconds} s), ${blockFramesPerPart} of them of blocks; ${result.otherFramesPerDevice} frames a device before and after`,
  );
  terminal.note(
    `the server sent ${result.serverBytes} bytes of images in ${result.serverRequests} requests, ${result.serverShare} times the images`,
  );
  for (const failure of result.failed) terminal.warn(failure);
  if (result.ok) terminal.done(`all that is expected holds after ${result.seconds} s`);
  else terminal.warn(`the scenario has failed after ${result.seconds} s`);
}

const clock = (run: ScenarioRun | undefined): string =>
  `${Math.round((run?.desk.world.nowMs ?? 0) / 1000)} s`;
