// Carries out cuts: brings the flash into the state that a cut leaves, and finds out what becomes of the device, by following it or by
// proof (same-future.ts). Each worker has one.

import { createHash } from "node:crypto";
import { Flash, type FlashOperation } from "../hardware/flash.js";
import {
  PARTITION_TABLE_BYTES,
  PARTITION_TABLE_OFFSET,
  parsePartitionTable,
} from "../hardware/partition-table.js";
import { randomStream } from "../random.js";
import { applyCut, applyOperation, cutPointsOf, leaveOnVerge } from "./cuts.js";
import { type FlashState, LoadedFlash, SectorStore, sectorsOf } from "./flash-state.js";
import type { History } from "./history.js";
import type { SweepImages, SweepRelease } from "./images.js";
import { nvsOf, type Recording } from "./recording.js";
import { type Recovery, recover } from "./recovery.js";
import { hasSameFuture } from "./same-future.js";
import { type Settings, settingsIn } from "./settings.js";

/** How many devices that were followed a new cut is compared with, the newest first. */
const MAX_FOLLOWED = 24;

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
  /** Second cuts for each device that was followed after a first one. */
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

  /** Every cut of one operation, and the second cuts that follow from them. */
  async sweepOperation(journey: number, index: number): Promise<Outcome> {
    const outcome: Outcome = { cuts: 0, pairs: 0, followed: 0, failed: [] };
    const recording = this.#options.recordings[journey]!;
    const rolling = this.#rollTo(recording, index);
    const operation = recording.operations[index]!;
    const saved = this.#settingsIn(rolling.state);
    const isSlot = operation.offset >= 0x10000;
    for (const point of cutPointsOf(operation, isSlot)) {
      const id = `${recording.name}:${index}:${point}`;
      outcome.cuts += 1;
      const state = this.#cut(rolling, operation, point, id);
      const verge = point === "verge" ? operation : undefined;
      const recovery = await this.#become(recording, state, saved, id, outcome, verge);
      if (recovery === undefined || verge !== undefined) continue;
      for (let pair = 0; pair < this.#options.pairsEach; pair += 1)
        await this.#cutAgain(recording, recovery.history, saved, `${id}+${pair}`, outcome);
    }
    return outcome;
  }

  /** Runs one cut again, and tells what happens. */
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
    const trace = second === undefined ? onTrace : undefined;
    onTrace(`${recording.name}, operation ${index}: ${describe(operation)}, cut ${point}`);
    const state = this.#cut(rolling, operation, point, first!);
    const verge = point === "verge" ? operation : undefined;
    const recovery = await this.#follow(recording, state, saved, trace, verge);
    if (second === undefined) return recovery;
    const again = this.#drawSecond(recovery.history, id);
    if (again === undefined) throw new Error(`the recovery from ${first} has no operation to cut power in`);
    onTrace(
      `then operation ${again.index} of the recovery: ${describe(again.operation)}, cut ${again.point}`,
    );
    return this.#follow(recording, again.state, this.#settingsIn(again.before), onTrace);
  }

  /** The operations that this journey's cuts are at. */
  get operationCounts(): number[] {
    return this.#options.recordings.map(({ operations }) => operations.length);
  }

  async #cutAgain(
    recording: Recording,
    history: History,
    saved: Settings,
    id: string,
    outcome: Outcome,
  ): Promise<void> {
    const again = this.#drawSecond(history, id);
    if (again === undefined) return;
    outcome.pairs += 1;
    void saved;
    await this.#become(recording, again.state, this.#settingsIn(again.before), id, outcome);
  }

  /** What becomes of a device whose flash is left so. @returns the recovery, if it had to be followed and went well */
  async #become(
    recording: Recording,
    state: FlashState,
    saved: Settings,
    id: string,
    outcome: Outcome,
    verge?: FlashOperation,
  ): Promise<Recovery | undefined> {
    const key = `${recording.name}/${JSON.stringify(saved)}`;
    const followed = this.#followed.get(key) ?? [];
    this.#followed.set(key, followed);
    if (
      verge === undefined &&
      followed.some((history) => hasSameFuture(state, history, this.#store, this.#promised))
    )
      return undefined;
    outcome.followed += 1;
    const recovery = await this.#follow(recording, state, saved, undefined, verge);
    if (recovery.problem !== undefined) {
      outcome.failed.push({ id, problem: recovery.problem });
      return undefined;
    }
    if (verge === undefined) {
      followed.unshift(recovery.history);
      followed.length = Math.min(followed.length, MAX_FOLLOWED);
    }
    return recovery;
  }

  async #follow(
    recording: Recording,
    state: FlashState,
    saved: Settings,
    onTrace?: (line: string) => void,
    verge?: FlashOperation,
  ): Promise<Recovery> {
    this.#flash.powerRestored();
    this.#loaded.load(state);
    if (verge !== undefined) leaveOnVerge(this.#flash, verge);
    return recover({
      flash: this.#flash,
      loaded: this.#loaded,
      images: this.#options.images,
      promised: this.#promised,
      journey: recording.name,
      saved,
      wanted: recording.settings,
      onTrace,
    });
  }

  /** The flash that a cut in this operation leaves. */
  #cut(rolling: Rolling, operation: FlashOperation, point: string, id: string): FlashState {
    const state = rolling.state.slice();
    const sectors = [...sectorsOf(operation.offset, operation.length)];
    const kept = sectors.map((sector) => rolling.contents.slice(sector * 4096, (sector + 1) * 4096));
    applyCut(rolling.contents, operation, point, randomStream(`${this.#options.seed}/${id}`));
    sectors.forEach((sector, position) => {
      const contents = rolling.contents.subarray(sector * 4096, (sector + 1) * 4096);
      state[sector] = this.#store.numberOf(contents);
      contents.set(kept[position]!);
    });
    return state;
  }

  /** A second cut, somewhere in the recovery from the first. */
  #drawSecond(history: History, id: string): SecondCut | undefined {
    const random = randomStream(`${this.#options.seed}/${id}/second`);
    const operations = history.entries.filter((entry) => entry.kind === "write" || entry.kind === "erase");
    if (operations.length === 0) return undefined;
    const index = Math.floor(random() * operations.length);
    const contents = new Map<number, Uint8Array>();
    const state = history.start.slice();
    const change = (
      operation: FlashOperation,
      act: (bytes: Uint8Array, local: FlashOperation) => void,
    ): void => {
      for (const sector of sectorsOf(operation.offset, operation.length)) {
        const bytes = contents.get(sector) ?? this.#store.contentsOf(state[sector]!).slice();
        contents.set(sector, bytes);
        act(bytes, { ...operation, offset: operation.offset - sector * 4096 });
        state[sector] = this.#store.numberOf(bytes);
      }
    };
    for (const entry of operations.slice(0, index)) change(operationOf(entry), applyOperation);
    const before = state.slice();
    const operation = operationOf(operations[index]!);
    const points = [...cutPointsOf(operation, false)];
    const point = points[Math.floor(random() * points.length)]!;
    change(operation, (bytes, local) => applyCut(bytes, local, point, random));
    return { index, operation, point, before, state };
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
      for (const sector of sectorsOf(operation.offset, operation.length)) {
        const contents = rolling.contents.subarray(sector * 4096, (sector + 1) * 4096);
        rolling.state[sector] = this.#store.numberOf(contents);
      }
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

interface Rolling {
  readonly recording: Recording;
  /** The next operation. */
  index: number;
  readonly contents: Uint8Array;
  readonly state: FlashState;
}

interface SecondCut {
  readonly index: number;
  readonly operation: FlashOperation;
  readonly point: string;
  readonly before: FlashState;
  readonly state: FlashState;
}

function operationOf(entry: History["entries"][number]): FlashOperation {
  if (entry.kind === "write") return { ...entry, length: entry.bytes.length };
  if (entry.kind === "erase") return { ...entry, length: 4096, bytes: new Uint8Array() };
  throw new Error(`${entry.kind} is no operation`);
}

function promisedDigests(images: SweepImages): ReadonlySet<string> {
  const promised = new Set<string>();
  for (const { image, payload } of Object.values(images) as SweepRelease[]) {
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
