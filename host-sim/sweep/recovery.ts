// One device that starts from the flash that a cut has left, until it has settled: it has taken the update that it is offered, and
// validated it. On the way and at the end it is checked that:
//
//   - what starts is a released image, whole; one that does not work only ever runs on trial, and is never validated; where
//     power has left it in otadata as another state, it is put on trial before it can crash
//   - otadata never selects a slot that does not hold such an image
//   - no sector is written or erased but those of NVS, otadata and the slot that does not run, and no byte is written that is not erased
//   - settings that were saved are as they were saved, or as the owner was about to have them
//   - after one cut the server is not told that a working release has failed: gates would count it against the release

import type { DeviceEvent } from "../device/device-event.js";
import {
  activeEntry,
  decodeOtadataEntry,
  EMPTY_SEQUENCE,
  isValid,
  OTA_STATE,
  OTADATA_ENTRY_BYTES,
  readOtadata,
  slotOfSequence,
} from "../hardware/boot/otadata.js";
import type { Flash } from "../hardware/flash/flash.js";
import { UnerasedWrite } from "../hardware/flash/strict-writes.js";
import { otaSlots, type Partition } from "../hardware/partitions/partition-table.js";
import type { Machine } from "../machine/machine.js";
import type { LoadedFlash } from "./flash-state.js";
import { History } from "./history.js";
import { openHouse } from "./house.js";
import type { SweepImages, SweepRelease } from "./images.js";
import { Observer } from "./observer.js";
import { isFailing, type JourneyName, needsPerson, nvsOf, otadataOf } from "./recording.js";
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
    offer: (server, nowMs) => {
      const isWithdrawn =
        nowMs > WITHDRAWN_AFTER_MS || server.reports.some(({ status }) => status === "failed");
      return isFailing(journey) && !isWithdrawn ? images.failing : target;
    },
    onTrace: (line) => trace(line),
    onEvent: (event) => {
      trace(JSON.stringify(event, (key, value) => (key === "partition" ? value.label : value)));
      if (event.type === "booted") problems.push(...checks.booted(event));
      if (event.type === "bootFailed") problems.push(`nothing boots: ${event.message}`);
    },
  });
  const { device, world } = house.desk;
  const trace = (line: string): void =>
    options.onTrace?.(`${world.nowMs.toFixed(1).padStart(10)} ms  ${line}`);
  const checks = createChecks(options, device.partitions);
  flash.onOperation = ({ kind, offset, bytes }, when) => {
    if (when !== "after") return;
    observer.operated(kind, offset, bytes);
    trace(`${kind} ${kind === "erase" ? "" : `${bytes.length} bytes `}at 0x${offset.toString(16)}`);
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
  if (problems.length === 0) problems.push(...checks.settled(device.machine, target));
  if (problems.length === 0 && !options.isSecondCut) problems.push(...blamed(house.server.reports, target));
  device.powerOff();
  flash.onOperation = undefined;
  observer.close();
  return { problem: problems[0], history };
}

function* blamed(reports: UpdateServer["reports"], { firmwareId, version }: SweepRelease): Iterable<string> {
  const failed = reports.find((report) => report.firmware_id === firmwareId && report.status === "failed");
  if (failed) yield `${version} works, and is reported as failed: ${failed.error_message ?? "(no reason)"}`;
}

/** The release that a device has to run in the end. */
function targetOf(journey: JourneyName, { update, later }: SweepImages): SweepRelease {
  return isFailing(journey) || journey.startsWith("later") ? later : update;
}

function createChecks(options: RecoveryOptions, partitions: readonly Partition[]) {
  const { flash, images } = options;
  const nvs = nvsOf(partitions);
  const otadata = otadataOf(partitions);
  const slots = otaSlots(partitions);
  const releases = Object.values(images) as SweepRelease[];
  let untriedCount = 0;

  const releaseIn = ({ offset }: Partition): SweepRelease | undefined =>
    releases.find(({ image }) => Buffer.compare(flash.view(offset, image.length), image) === 0);

  const isIn = (offset: number, partition: Partition): boolean =>
    offset >= partition.offset && offset < partition.offset + partition.size;

  function* selected(sector: number): Iterable<string> {
    const bytes = flash.view(sector, OTADATA_ENTRY_BYTES);
    const entry = decodeOtadataEntry(bytes.slice());
    if (!isValid(entry) || entry.sequence === EMPTY_SEQUENCE) return;
    const slot = slots[slotOfSequence(entry.sequence, slots.length)]!;
    const release = releaseIn(slot);
    if (release === undefined) yield `otadata selects ${slot.label}, which holds no whole image`;
    else if (entry.state === OTA_STATE.VALID && !release.works)
      yield `${release.version} was validated, and does not work`;
  }

  return {
    *booted({ partition }: Extract<DeviceEvent, { type: "booted" }>): Iterable<string> {
      const release = releaseIn(partition);
      if (release === undefined) yield `what starts in ${partition.label} is no whole image`;
      else if (!release.works && stateOf(partition) !== OTA_STATE.PENDING_VERIFY) {
        // the boot loader cannot see that power has torn the state: the firmware has to, before it crashes
        untriedCount += 1;
        if (untriedCount > 1)
          yield `${release.version} in ${partition.label} starts ${untriedCount} times, and not on trial`;
      }
    },

    *operated(kind: string, offset: number, running: Partition | undefined): Iterable<string> {
      const idle = slots.find(
        (slot) => slot !== running && slot.offset !== running?.offset && isIn(offset, slot),
      );
      const isBookkeeping = isIn(offset, nvs) || isIn(offset, otadata);
      if (!isBookkeeping && (idle === undefined || running === undefined))
        yield `${kind} at 0x${offset.toString(16)}, outside NVS, otadata and the slot that does not run`;
      if (kind === "write" && isIn(offset, otadata))
        yield* selected(offset - ((offset - otadata.offset) % 4096));
    },

    *settled(machine: Machine | undefined, target: SweepRelease): Iterable<string> {
      const running = machine?.running;
      if (running === undefined || releaseIn(running) !== target) yield `${target.version} is not what runs`;
      else if (stateOf(running) !== OTA_STATE.VALID) yield `${target.version} runs without being validated`;
      const problem = settingsProblem(settingsOf(machine?.nvs), options.saved, options.wanted);
      if (problem !== undefined) yield problem;
    },
  };

  function stateOf(partition: Partition): number | undefined {
    const entries = readOtadata(flash, otadata);
    const active = activeEntry(entries);
    if (active === undefined) return undefined;
    const slot = slots[slotOfSequence(entries[active].sequence, slots.length)];
    return slot?.offset === partition.offset ? entries[active].state : undefined;
  }
}
