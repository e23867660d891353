// The journeys, each made once without a cut: where the flash began, and every operation of the way.
//
//   provisioning   from the box through the portal to the first check            update, settings, failing: go on from there
//   update         1.0.0 in factory to 1.1.0 in ota_0                            later: goes on from there
//   settings       all settings changed on the device's page
//   rotation       the next trust root
//   freshness      a trust root with which statements of freshness are asked for, and the first of them
//   failing        an image that throws in its trial: tried, and rolled back
//   later          1.1.0 in ota_0 to 1.2.0 in ota_1: both otadata entries are in use
//   staged         1.1.0 is held back in ota_0, and starts at the server's word       staged-reverted: goes on from there
//   staged-abandoned  1.1.0 is held back in ota_0, and given up at the server's word
//   staged-reverted   1.1.0 runs, and the device goes back to 1.0.0 at the server's word
//   …-4mb          the same with a table without a factory app: nothing but two slots to fall back to

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describeEvent } from "../device/watch.js";
import { Flash, type FlashOperation } from "../hardware/flash/flash.js";
import type { Partition } from "../hardware/partitions/partition-table.js";
import { randomStream } from "../world/random.js";
import { changeSettings, type House, openHouse } from "./house.js";
import type { SweepImages } from "./images.js";
import { isLed, LED_JOURNEYS, type LedJourney, sayTo, type Word, wasStaged } from "./leader.js";
import { isInSlot, nvsOf, otadataOf } from "./places.js";
import type { SweepRelease } from "./release.js";
import { type Settings, settingsIn } from "./settings.js";
import type { UpdateServer } from "./update-server.js";

export const JOURNEYS = Object.freeze([
  "provisioning",
  "update",
  "settings",
  "rotation",
  "freshness",
  "failing",
  "later",
  ...LED_JOURNEYS,
  "provisioning-4mb",
  "update-4mb",
  "failing-4mb",
  "later-4mb",
] as const);
export type JourneyName = (typeof JOURNEYS)[number];

export interface Recording {
  readonly name: JourneyName;
  /** The whole flash at the beginning. */
  readonly start: Uint8Array;
  readonly operations: readonly FlashOperation[];
  readonly otadata: Partition;
  /** Cuts before this operation are those of another journey. */
  readonly firstOperation: number;
  readonly settings: Settings;
}

/** A journey that fails although nothing was cut: the firmware itself is broken. */
export class JourneyError extends Error {
  override readonly name = "JourneyError";
  readonly journey: JourneyName;

  constructor(journey: JourneyName, message: string) {
    super(message);
    this.journey = journey;
  }
}

export type JourneyTrace = (journey: JourneyName, line: string) => void;

const FLASH_BYTES = 8 * 1024 * 1024;
const HOUR_MS = 3_600_000;
/** The effects of a journey's last step, such as the closing of the portal, are over by then. */
const AFTERMATH_MS = 90_000;

/**
 * Those that are asked for, in the order of JOURNEYS; between them may be some that they go on from.
 * @throws JourneyError
 */
export async function recordJourneys(
  images: SweepImages,
  asked: readonly JourneyName[] = JOURNEYS,
  onTrace: JourneyTrace = () => {},
): Promise<Recording[]> {
  const { update, failing, later } = images;
  const recorder = new Recorder(onTrace);
  const isAsked = (...names: readonly JourneyName[]): boolean => names.some((name) => asked.includes(name));
  const firstCheck: Drive = (house, until) => until(() => house.server.checks.length > 0);
  const validated =
    (release: SweepRelease): Drive =>
    (house, until) =>
      until(() => house.server.hasValidated(release));
  const rolledBack: Drive = (house, until) =>
    until(() => house.server.reports.some(({ status }) => status === "failed"));

  if (asked.some((name) => !name.endsWith("-4mb"))) {
    const home = await recorder.record("provisioning", boxed(images, "8mb"), undefined, firstCheck);
    const updated =
      isAsked("update", "later") && (await recorder.record("update", home, update, validated(update)));
    if (isAsked("settings"))
      await recorder.record("settings", home, undefined, async (house, until, address) => {
        await firstCheck(house, until, address);
        if (!(await changeSettings(house, address())))
          throw new JourneyError("settings", "the device did not take the settings");
      });
    if (isAsked("rotation"))
      await recorder.record(
        "rotation",
        home,
        () => ({ nextRoot: images.nextRoot }),
        (house, until) => until(() => house.server.checks.at(-1)?.root_version === 2),
      );
    if (isAsked("freshness")) {
      const { askingRoot: nextRoot, statementKey } = images;
      await recorder.record(
        "freshness",
        home,
        () => ({ nextRoot, statementKey }),
        (house, until) => until(() => house.server.statementCount > 0),
      );
    }
    if (isAsked("failing")) await recorder.record("failing", home, failing, rolledBack);
    if (updated && isAsked("later")) await recorder.record("later", updated, later, validated(later));

    const led = (name: LedJourney, start: Uint8Array, drive: Drive) =>
      recorder.record(name, start, (server) => sayTo(name, images, server.checks), drive);
    const { imageSha256 } = update.payload;
    const committed = isAsked("staged", "staged-reverted") && (await led("staged", home, validated(update)));
    if (isAsked("staged-abandoned"))
      await led("staged-abandoned", home, (house, until) =>
        until(
          () => wasStaged(house.server.checks, imageSha256) && !house.server.checks.at(-1)?.staged_sha256,
        ),
      );
    if (committed && isAsked("staged-reverted"))
      await led("staged-reverted", committed, (house, until) =>
        until(() => house.server.checks.at(-1)?.image_sha256 === images.factory.payload.imageSha256),
      );
  }

  if (asked.some((name) => name.endsWith("-4mb"))) {
    const home = await recorder.record("provisioning-4mb", boxed(images, "4mb"), undefined, firstCheck);
    if (isAsked("update-4mb", "failing-4mb", "later-4mb")) {
      const updated = await recorder.record("update-4mb", home, update, validated(update));
      if (isAsked("failing-4mb")) await recorder.record("failing-4mb", updated, failing, rolledBack);
      if (isAsked("later-4mb")) await recorder.record("later-4mb", updated, later, validated(later));
    }
  }
  return recorder.recordings.map(withoutRepetition);
}

/** What comes before the arming is the same in every update: it is swept in two of them. What is held is arrived with its last write. */
function withoutRepetition(recording: Recording): Recording {
  const { name, operations } = recording;
  if (isLed(name))
    return { ...recording, firstOperation: Math.max(0, operations.findLastIndex(isSlotWrite)) };
  if (!isFailing(name) && !name.endsWith("-4mb")) return recording;
  return { ...recording, firstOperation: operations.findLastIndex(isInSlot) + 1 };
}

const isSlotWrite = (operation: FlashOperation): boolean => operation.kind === "write" && isInSlot(operation);

/** A new device, whose slots hold left-over data. */
function boxed(images: SweepImages, table: "8mb" | "4mb"): Uint8Array {
  const flash = new Flash(FLASH_BYTES);
  const { device } = openHouse({ flash, alone: true, say: () => ({}) }).desk;
  const csv = fileURLToPath(new URL(`../../partitions/${table}.csv`, import.meta.url));
  device.flashFactory(readFileSync(csv, "utf8"), images.factory.image);
  const random = randomStream("left over");
  for (const { label, offset } of device.partitions) {
    if (!label.startsWith("ota_") || flash.bytes[offset] !== 0xff) continue;
    const end = offset + images.later.image.length;
    for (let at = offset; at < end; at += 1) flash.bytes[at] = Math.floor(random() * 256);
  }
  return flash.bytes;
}

type Until = (done: () => boolean) => Promise<void>;
type Drive = (house: House, until: Until, address: () => string) => Promise<void>;

class Recorder {
  readonly recordings: Recording[] = [];
  readonly #onTrace: JourneyTrace;

  constructor(onTrace: JourneyTrace) {
    this.#onTrace = onTrace;
  }

  /** @returns the flash at the end */
  async record(
    name: JourneyName,
    start: Uint8Array,
    offered: SweepRelease | undefined | ((server: UpdateServer) => Word),
    drive: Drive,
  ): Promise<Uint8Array> {
    const flash = new Flash(FLASH_BYTES, start);
    let address = "";
    const house = openHouse({
      flash,
      alone: !needsPerson(name),
      say: typeof offered === "function" ? offered : () => ({ release: offered }),
      onEvent: (event) => this.#onTrace(name, describeEvent(event) ?? event.type),
      onTrace: (line) => {
        this.#onTrace(name, line);
        address = /address (\d+\.\d+\.\d+\.\d+)/.exec(line)?.[1] ?? address;
      },
    });
    const operations: FlashOperation[] = [];
    flash.onOperation = (operation, when) => {
      if (when === "before") operations.push({ ...operation, bytes: operation.bytes.slice() });
    };
    const { device, world } = house.desk;
    const until: Until = async (done) => {
      if (await world.runUntil(done, { limitMs: HOUR_MS })) return;
      throw new JourneyError(name, "the journey did not come to its end within an hour, without any cut");
    };
    device.powerOn();
    await drive(house, until, () => address);
    await world.runFor(AFTERMATH_MS);
    device.powerOff();
    if (operations.length === 0) throw new JourneyError(name, "the journey did nothing to the flash");
    const settings = settingsIn(flash, nvsOf(device.partitions));
    const otadata = otadataOf(device.partitions);
    this.recordings.push({ name, start: start.slice(), operations, otadata, firstOperation: 0, settings });
    return flash.bytes;
  }
}

/** Only a device without a saved network. Later no person may be needed. */
export const needsPerson = (name: JourneyName): boolean => name.startsWith("provisioning");

/** An image is offered that does not work. */
export const isFailing = (name: JourneyName): boolean => name.startsWith("failing");
