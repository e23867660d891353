// Carries out cuts: brings the flash into the state that a cut leaves, and determines what becomes of the device, by running it or by
// proof (same-future.ts). Each worker has one.

import { createHash } from "node:crypto";
import { Flash, type FlashOperation, SECTOR_BYTES } from "../hardware/flash/flash.js";
import {
  PARTITION_TABLE_BYTES,
  PARTITION_TABLE_OFFSET,
  parsePartitionTable,
} from "../hardware/partitions/partition-table.js";
import { randomStream } from "../world/random.js";
import { applyCut, applyOperation, cutPointsOf, leaveUnstable, type Place } from "./cuts.js";
import { type ChangedState, type FlashState, LoadedFlash, SectorStore, sectorsOf } from "./flash-state.js";
import type { History } from "./history.js";
import { releasesOf, type SweepImages } from "./images.js";
import { nvsOf, placeOf } from "./places.js";
import type { Recording } from "./recording.js";
import { type Recovery, type RecoveryOptions, recover } from "./recovery.js";
import { hasSameFuture } from "./same-future.js";
import { type Settings, settingsIn } from "./settings.js";

/** Maximum number of followed devices that a new cut is compared with, the newest first. */
const MAX_FOLLOWED = 24;

/** The share of cuts outside the slots, and of those inside, that a second cut follows. */
const PAIR_SHARE = 1 / 4;
const SLOT_PAIR_SHARE = 1 / 500;

export interface Failure {
  readonly id: string;
  readonly problem: string;
}

export interface Outcome {
  cuts: number;
  pairs: number;
  /** Devices that were followed to their end; of the others it was proved that theirs is the same. */
  followed: number;
  readonly failed: Failure[];
}

export interface BenchOptions {
  readonly seed: number;
  readonly images: SweepImages;
  readonly recordings: readonly Recording[];
  /** 1: second cuts follow from a share of the first ones; more: that many times as many. */
  readonly pairsEach: number;
}

export class Bench {
  readonly #options: BenchOptions;
  readonly #store = new SectorStore();
  readonly #flash: Flash;
  readonly #loaded: LoadedFlash;
  readonly #promised: ReadonlySet<string>;
  readonly #followed = new Map<string, History[]>();
  #rolling: Rolling | undefined;

  constructor(options: BenchOptions) {
    this.#options = options;
    this.#flash = new Flash(options.recordings[0]!.start.length);
    this.#loaded = new LoadedFlash(this.#store, this.#flash.bytes);
    this.#promised = promisedDigests(options.images);
  }

  /**
   * Every cut of one operation, and the second cuts that follow from them.
   * @param onSurvived called with what a device does with its flash after a first cut
   */
  async sweepOperation(
    journey: number,
    index: number,
    onSurvived: (id: string, history: History) => void = () => {},
  ): Promise<Outcome> {
    const outcome: Outcome = { cuts: 0, pairs: 0, followed: 0, failed: [] };
    const recording = this.#options.recordings[journey]!;
    const rolling = this.#rollTo(recording, index);
    const operation = recording.operations[index]!;
    const saved = this.#settingsIn(rolling.state);
    const place = placeOf(operation, recording.otadata);
    for (const point of cutPointsOf(operation, place)) {
      const id = `${recording.name}:${index}:${point}`;
      outcome.cuts += 1;
      const state = this.#cut(rolling, operation, point, id);
      const unstable = point === "unstable" ? operation : undefined;
      const history = await this.#become(recording, state, saved, id, outcome, { unstable });
      if (history === undefined) continue;
      onSurvived(id, history);
      if (unstable !== undefined) continue;
      for (const pair of this.#pairsOf(id, place)) {
        const again = this.#drawSecond(recording, state, history, pair);
        if (again === undefined) continue;
        outcome.pairs += 1;
        const savedThen = this.#settingsIn(again.before);
        const second = { isSecondCut: true };
        await this.#become(recording, unchanged(again.state), savedThen, pair, outcome, second);
      }
    }
    return outcome;
  }

  /** Runs one cut again, on a device that sees all of its flash, and reports what happens. */
  async replay(id: string, onTrace: (line: string) => void): Promise<Recovery> {
    const [first, second] = id.split("+");
    const [name, index, ...rest] = first!.split(":");
    const recording = this.#options.recordings.find((known) => known.name === name);
    const operation = recording?.operations[Number(index)];
    if (recording === undefined || operation === undefined)
      throw new Error(`there is no cut ${id}: it reads JOURNEY:OPERATION:POINT, such as update:12:byte:7`);
    const rolling = this.#rollTo(recording, Number(index));
    const saved = this.#settingsIn(rolling.state);
    const point = rest.join(":");
    onTrace(`${recording.name}, operation ${index}: ${describe(operation)}, cut ${point}`);
    const state = this.#cut(rolling, operation, point, first!);
    const unstable = point === "unstable" ? operation : undefined;
    const shown = { isOpen: true, onTrace };
    if (second === undefined) return this.#follow(recording, state, saved, { ...shown, unstable });
    const { history } = await this.#follow(recording, state, saved, { unstable });
    const again = this.#drawSecond(recording, state, history, id);
    if (again === undefined) throw new Error(`the recovery from ${first} has no operation to cut power in`);
    onTrace(
      `then operation ${again.index} of the recovery: ${describe(again.operation)}, cut ${again.point}`,
    );
    const isSecondCut = true;
    return this.#follow(recording, unchanged(again.state), this.#settingsIn(again.before), {
      ...shown,
      isSecondCut,
    });
  }

  /** Names of the second cuts that follow from a first one; most have none. */
  *#pairsOf(id: string, place: Place): Iterable<string> {
    const share = place === "slot" ? SLOT_PAIR_SHARE : PAIR_SHARE;
    for (let pair = 0; pair < this.#options.pairsEach; pair += 1) {
      const name = `${id}+${pair}`;
      if (randomStream(`${this.#options.seed}/${name}`)() < share) yield name;
    }
  }

  /** What becomes of a device with this flash. @returns what it does with its flash, if all goes well */
  async #become(
    recording: Recording,
    state: ChangedState,
    saved: Settings,
    id: string,
    outcome: Outcome,
    how: Following = {},
  ): Promise<History | undefined> {
    const { unstable } = how;
    const key = `${recording.name}/${JSON.stringify(saved)}`;
    const followed = this.#followed.get(key) ?? [];
    this.#followed.set(key, followed);
    const known =
      unstable === undefined
        ? followed.find((history) => hasSameFuture(state, history, this.#store, this.#promised))
        : undefined;
    if (known !== undefined) return known;
    outcome.followed += 1;
    const { problem, history } = await this.#follow(recording, state, saved, how);
    if (problem !== undefined) {
      outcome.failed.push({ id, problem });
      return undefined;
    }
    if (unstable === undefined) {
      followed.unshift(history);
      followed.length = Math.min(followed.length, MAX_FOLLOWED);
    }
    return history;
  }

  async #follow(
    recording: Recording,
    state: ChangedState,
    saved: Settings,
    { unstable, ...how }: Following = {},
  ): Promise<Recovery> {
    this.#flash.powerRestored();
    this.#loaded.load(this.#store.withChanges(state));
    if (unstable !== undefined) leaveUnstable(this.#flash, unstable);
    return recover({
      flash: this.#flash,
      loaded: this.#loaded,
      images: this.#options.images,
      promised: this.#promised,
      journey: recording.name,
      saved,
      wanted: recording.settings,
      ...how,
    });
  }

  /** The flash that a cut in this operation leaves. */
  #cut(rolling: Rolling, operation: FlashOperation, point: string, id: string): ChangedState {
    const random = randomStream(`${this.#options.seed}/${id}`);
    const changed = new Map<number, Uint8Array>();
    const contents = (sector: number): Uint8Array => contentsOf(rolling, sector);
    change(operation, contents, changed, (bytes, local) => applyCut(bytes, local, point, random));
    return { state: rolling.state, changed };
  }

  /** A second cut, somewhere in the recovery from the first, whose operations are those of `history`. */
  #drawSecond(
    recording: Recording,
    first: ChangedState,
    history: History,
    id: string,
  ): SecondCut | undefined {
    const random = randomStream(`${this.#options.seed}/${id}/second`);
    const operations = history.entries.filter((entry) => entry.kind === "write" || entry.kind === "erase");
    if (operations.length === 0) return undefined;
    const index = Math.floor(random() * operations.length);
    const changed = new Map<number, Uint8Array>();
    const state = this.#store.withChanges(first);
    const contents = (sector: number): Uint8Array => this.#store.contentsOf(state[sector]!);
    const now = (): FlashState => this.#store.withChanges({ state, changed });
    for (const entry of operations.slice(0, index))
      change(operationOf(entry), contents, changed, applyOperation);
    const before = now();
    const operation = operationOf(operations[index]!);
    const place = placeOf(operation, recording.otadata);
    const points = [...cutPointsOf(operation, place === "slot" ? "nvs" : place)];
    const point = points[Math.floor(random() * points.length)]!;
    change(operation, contents, changed, (bytes, local) => applyCut(bytes, local, point, random));
    return { index, operation, point, before, state: now() };
  }

  #rollTo(recording: Recording, index: number): Rolling {
    let rolling = this.#rolling;
    if (rolling?.recording !== recording || rolling.index > index) {
      const contents = recording.start.slice();
      rolling = { recording, index: 0, contents, state: this.#store.stateOf(contents) };
    }
    for (; rolling.index < index; rolling.index += 1) {
      const operation = recording.operations[rolling.index]!;
      applyOperation(rolling.contents, operation);
      // a new array: histories hold the old one
      rolling.state = rolling.state.slice();
      for (const sector of sectorsOf(operation.offset, operation.length))
        rolling.state[sector] = this.#store.numberOf(contentsOf(rolling, sector));
    }
    this.#rolling = rolling;
    return rolling;
  }

  #settingsIn(state: FlashState): Settings {
    this.#loaded.load(state);
    const table = this.#flash.read(PARTITION_TABLE_OFFSET, PARTITION_TABLE_BYTES);
    return settingsIn(this.#flash, nvsOf(parsePartitionTable(table, { flashBytes: this.#flash.sizeBytes })));
  }
}

interface Following extends Pick<RecoveryOptions, "isOpen" | "isSecondCut" | "onTrace"> {
  /** The last byte of this write reads right only once. */
  readonly unstable?: FlashOperation | undefined;
}

interface Rolling {
  readonly recording: Recording;
  /** The next operation. */
  index: number;
  readonly contents: Uint8Array;
  state: FlashState;
}

const contentsOf = ({ contents }: Rolling, sector: number): Uint8Array =>
  contents.subarray(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES);

/** Applies what an operation does, whole or in part, to the sectors that it covers. */
function change(
  operation: FlashOperation,
  contentsOfSector: (sector: number) => Uint8Array,
  changed: Map<number, Uint8Array>,
  act: (bytes: Uint8Array, local: FlashOperation) => void,
): void {
  const sectors = [...sectorsOf(operation.offset, operation.length)];
  const [first = 0] = sectors;
  const bytes = new Uint8Array(sectors.length * SECTOR_BYTES);
  for (const [index, sector] of sectors.entries())
    bytes.set(changed.get(sector) ?? contentsOfSector(sector), index * SECTOR_BYTES);
  act(bytes, { ...operation, offset: operation.offset - first * SECTOR_BYTES });
  for (const [index, sector] of sectors.entries())
    changed.set(sector, bytes.subarray(index * SECTOR_BYTES, (index + 1) * SECTOR_BYTES));
}

const unchanged = (state: FlashState): ChangedState => ({ state, changed: new Map() });

interface SecondCut {
  readonly index: number;
  readonly operation: FlashOperation;
  readonly point: string;
  readonly before: FlashState;
  readonly state: FlashState;
}

function operationOf(entry: History["entries"][number]): FlashOperation {
  if (entry.kind === "write") return { ...entry, length: entry.bytes.length };
  if (entry.kind === "erase") return { ...entry, bytes: new Uint8Array() };
  throw new Error(`${entry.kind} is no operation`);
}

function promisedDigests(images: SweepImages): ReadonlySet<string> {
  const promised = new Set<string>();
  for (const { image, payload } of releasesOf(images)) {
    promised.add(payload.sha256);
    for (let at = 0; at < image.length; at += payload.chunkSize)
      promised.add(
        createHash("sha256")
          .update(image.subarray(at, at + payload.chunkSize))
          .digest("hex"),
      );
  }
  return promised;
}

const describe = ({ kind, offset, length }: FlashOperation): string =>
  `${kind} of ${length} bytes at 0x${offset.toString(16)}`;
