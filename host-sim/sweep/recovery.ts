// One device that starts from the flash that a cut has left, until it has settled: it has taken the update that it is offered, and
// validated it. On the way and at the end it is checked that:
//
//   - what starts, what otadata selects and what is written is as in checks.ts, and no byte is written that is not erased
//   - an image that was held and is given up never starts
//   - settings that were saved are as they were saved, or as the owner was about to have them
//   - a device that was to have the next trust root holds it, and one that asks for statements of freshness has their time as its floor
//   - after one cut the server is not told that a working release has failed: gates would count it against the release

import { FLOOR_KEY } from "../../firmware/core/clock.js";
import type { DeviceEvent } from "../device/device-event.js";
import { OTA_STATE } from "../hardware/boot/otadata.js";
import type { Flash } from "../hardware/flash/flash.js";
import { UnerasedWrite } from "../hardware/flash/strict-writes.js";
import type { Nvs } from "../hardware/nvs/nvs.js";
import type { Machine } from "../machine/machine.js";
import { FlashChecks } from "./checks.js";
import type { LoadedFlash } from "./flash-state.js";
import { History } from "./history.js";
import { openHouse } from "./house.js";
import { releasesOf, type SweepImages } from "./images.js";
import { isLed, sayTo } from "./leader.js";
import { Observer } from "./observer.js";
import { otadataOf } from "./places.js";
import { isFailing, type JourneyName, needsPerson } from "./recording.js";
import { START_TIME, type SweepRelease } from "./release.js";
import type { PromisedDigests } from "./same-future.js";
import { type Settings, settingsOf, settingsProblem } from "./settings.js";
import type { UpdateServer } from "./update-server.js";

/** Longer than a device skips an image that was rolled back, and several checks. */
const SETTLED_WITHIN_MS = 45 * 60_000;
/** How long the server goes on offering an image that does not work, without a report. */
const WITHDRAWN_AFTER_MS = 5 * 60_000;
const AFTERMATH_MS = 2_000;

export interface RecoveryOptions {
  readonly flash: Flash;
  readonly loaded: LoadedFlash;
  readonly images: SweepImages;
  readonly promised: PromisedDigests;
  readonly journey: JourneyName;
  readonly saved: Settings;
  readonly wanted: Settings;
  /** The firmware sees the content of the slot, as on the chip: nothing can be proved from such a history. */
  readonly isOpen?: boolean;
  /** Power was lost twice: two trials that it ends may be an image that draws too much, and are a failure (core/update/outcome.ts). */
  readonly isSecondCut?: boolean;
  /** Called with what happens, with the world's time. */
  readonly onTrace?: ((line: string) => void) | undefined;
}

export interface Recovery {
  /** The first check that failed; undefined: the device survived. */
  readonly problem: string | undefined;
  readonly history: History;
}

export async function recover(options: RecoveryOptions): Promise<Recovery> {
  const { flash, loaded, images, journey } = options;
  const history = new History(loaded.state());
  const observer = new Observer(flash, loaded, options.promised, history);
  const problems: string[] = [];
  const target = targetOf(journey, images);
  const house = openHouse({
    flash,
    alone: !needsPerson(journey),
    engine: options.isOpen ? undefined : observer.engine,
    say: (server, nowMs) => {
      if (isLed(journey)) return sayTo(journey, images, server.checks, target);
      if (journey === "rotation") return { release: target, nextRoot: images.nextRoot };
      const { askingRoot, statementKey } = images;
      if (journey === "freshness") return { release: target, nextRoot: askingRoot, statementKey };
      const isWithdrawn =
        nowMs > WITHDRAWN_AFTER_MS || server.reports.some(({ status }) => status === "failed");
      return { release: isFailing(journey) && !isWithdrawn ? images.failing : target };
    },
    onTrace: (line) => trace(line),
    onEvent: (event) => {
      trace(JSON.stringify(event, (key, value) => (key === "partition" ? value.label : value)));
      if (event.type === "booted") problems.push(...checks.booted(event), ...started(event));
      if (event.type === "bootFailed") problems.push(`nothing boots: ${event.message}`);
    },
  });
  const { device, world } = house.desk;
  const trace = (line: string): void =>
    options.onTrace?.(`${world.nowMs.toFixed(1).padStart(10)} ms  ${line}`);
  const { partitions } = device;
  const checks = new FlashChecks({ flash, partitions, releases: releasesOf(images) });
  const started = function* ({ partition }: Extract<DeviceEvent, { type: "booted" }>): Iterable<string> {
    if (journey === "staged-abandoned" && checks.releaseIn(partition) === images.update)
      yield `${images.update.version} starts, and was never committed`;
  };
  flash.onOperation = (operation, when) => {
    if (when !== "after") return;
    const { kind, offset, length } = operation;
    observer.operated(operation);
    trace(`${kind} ${length} bytes at 0x${offset.toString(16)}`);
    problems.push(...checks.operated(kind, offset, device.running));
  };
  if (!options.isOpen) observer.hideBrokenEntries(otadataOf(device.partitions));
  device.powerOn();
  const isOver = (): boolean => problems.length > 0 || house.server.hasValidated(target);
  try {
    if (!(await world.runUntil(isOver, { limitMs: SETTLED_WITHIN_MS })))
      problems.push(
        `${target.version} is not installed and validated after ${SETTLED_WITHIN_MS / 60_000} minutes`,
      );
    if (problems.length === 0) await world.runFor(AFTERMATH_MS);
  } catch (error) {
    if (!(error instanceof UnerasedWrite)) throw error;
    problems.push(error.message);
  }
  if (problems.length === 0 && isRotating(journey) && house.server.checks.at(-1)?.root_version !== 2)
    problems.push("the device does not hold the next trust root");
  if (problems.length === 0 && journey === "freshness" && floorOf(device.machine?.nvs) < START_TIME)
    problems.push("the floor of time is not in NVS, or before the statement");
  if (problems.length === 0) problems.push(...settled(checks, device.machine, target, options));
  if (problems.length === 0 && !options.isSecondCut) problems.push(...blamed(house.server.reports, target));
  device.powerOff();
  flash.onOperation = undefined;
  observer.close();
  return { problem: problems[0], history };
}

const isRotating = (journey: JourneyName): boolean => journey === "rotation" || journey === "freshness";

const floorOf = (nvs: Nvs | undefined): number => Number(nvs?.get("skyslot", FLOOR_KEY).value ?? 0);

function* blamed(reports: UpdateServer["reports"], { firmwareId, version }: SweepRelease): Iterable<string> {
  const failed = reports.find((report) => report.firmware_id === firmwareId && report.status === "failed");
  if (failed) yield `${version} works, and is reported as failed: ${failed.error_message ?? "(no reason)"}`;
}

/** The release that a device has to run in the end. */
function targetOf(journey: JourneyName, { update, later }: SweepImages): SweepRelease {
  const isPast = journey === "staged-abandoned" || journey === "staged-reverted";
  return isPast || isFailing(journey) || journey.startsWith("later") ? later : update;
}

/** Of a device that has settled: it runs the release that it has to run, for good, with its settings. */
function* settled(
  checks: FlashChecks,
  machine: Machine | undefined,
  { version }: SweepRelease,
  { saved, wanted }: RecoveryOptions,
): Iterable<string> {
  const running = machine?.running;
  if (running === undefined || checks.releaseIn(running)?.version !== version)
    yield `${version} is not what runs`;
  else if (checks.stateOf(running) !== OTA_STATE.VALID) yield `${version} runs without being validated`;
  const problem = settingsProblem(settingsOf(machine?.nvs), saved, wanted);
  if (problem !== undefined) yield problem;
}
