// A gateway that serves an image from its flash, and devices that fetch it by radio, each a pure machine on the same air. The devices'
// flash is NOR: an erase sets a sector to ones, a write can only clear bits, and writing over bytes that are not erased is an error. Beside
// each receiver stands what the installer does: a stored block is compared, and fetched again if it is wrong.

import { bytesEqual } from "../../../../firmware/core/bytes.js";
import {
  BLOCK_BYTES,
  PART_BYTES,
  PART_SET_BYTES,
  partCountOf,
  partLength,
} from "../../../../firmware/core/radio/block-code.js";
import {
  type Receiving,
  receiveBlocks,
  receiverStep,
} from "../../../../firmware/core/radio/block-receiver.js";
import { type Sending, senderStep, serveBlocks } from "../../../../firmware/core/radio/block-sender.js";
import type {
  BlockEffect,
  BlockEvent,
  CombineParts,
} from "../../../../firmware/core/radio/block-vocabulary.js";
import { SECTOR_BYTES } from "../../../../firmware/core/update/release.js";
import { randomStream } from "../../../../host-sim/world/random.js";
import { Air, type AirOptions, type Station } from "./air.js";

export const GATEWAY = "02:00:00:00:00:00";
const nodeAddress = (index: number): string => `02:00:00:00:01:${index.toString(16).padStart(2, "0")}`;
const IMAGE_ID = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);

export interface BlockWorldOptions extends AirOptions {
  readonly imageBytes: number;
  readonly nodeCount: number;
}

type Own = { readonly type: "begin"; readonly start: number; readonly end: number };
type Carried = Exclude<
  BlockEffect,
  { readonly type: "sendFrame" | "setTimer" | "clearTimer" | "startRadio" | "tuneRadio" }
>;

export class BlockWorld {
  readonly air: Air;
  readonly image: Uint8Array;
  readonly gateway: Gateway;
  readonly nodes: Node[] = [];

  constructor(options: BlockWorldOptions) {
    this.air = new Air(options);
    this.image = randomBytes(options.imageBytes, `${options.seed}/image`);
    this.gateway = new Gateway(this.air, this.image);
    for (let index = 0; index < options.nodeCount; index++)
      this.nodes.push(new Node(this, nodeAddress(index)));
  }

  /** All devices ask at about the same time, as after an announcement. */
  beginAll(): void {
    for (const node of this.nodes) node.begin();
  }

  get isDone(): boolean {
    return this.nodes.every((node) => node.isDone);
  }

  run(limitMs: number): boolean {
    return this.air.runUntil(() => this.isDone, limitMs);
  }
}

export class Gateway {
  state: Sending;
  readonly station: Station;
  readonly news: string[] = [];

  constructor(air: Air, image: Uint8Array) {
    const served = { attempt: 1, id: IMAGE_ID, imageBytes: image.length, from: "cache" } as const;
    this.state = serveBlocks(served, image.length, 0.5);
    this.station = air.join<BlockEvent, Carried>({
      address: GATEWAY,
      step: (event) => {
        const [next, effects] = senderStep(this.state, event);
        this.state = next;
        return effects;
      },
      carryOut: (effect) => {
        if (effect.type === "raise") this.news.push(effect.event.type);
        return effect.type === "combineParts"
          ? [{ type: "partsCombined", attempt: effect.attempt, bytes: combine(image, effect) }]
          : [];
      },
    });
    this.station.channel = 1;
  }
}

export class Node {
  readonly address: string;
  readonly flash: NorFlash;
  /** Blocks that were stored and right, and those that were wrong. */
  readonly right: number[] = [];
  readonly wrong: number[] = [];
  failure: string | undefined;
  state: Receiving | undefined;
  station: Station;
  readonly #world: BlockWorld;
  #verifiedBytes = 0;
  /** Offsets of blocks that came before those in front of them. */
  readonly #ahead = new Map<number, number>();

  constructor(world: BlockWorld, address: string) {
    this.#world = world;
    this.address = address;
    this.flash = new NorFlash(world.image.length);
    this.station = this.#join();
  }

  get isDone(): boolean {
    return this.#verifiedBytes === this.#world.image.length;
  }

  /** Fetches what it has not verified yet. */
  begin(end = this.#world.image.length): void {
    this.#ahead.clear();
    this.station.dispatch<Own>({ type: "begin", start: this.#verifiedBytes, end });
  }

  /** Power off; `restart` is the next boot, which knows only what the flash holds. */
  cutPower(): void {
    this.station.leave();
    this.state = undefined;
  }

  restart(): void {
    this.station = this.#join();
    this.begin();
  }

  #join(): Station {
    const station = this.#world.air.join<BlockEvent | Own, Carried>({
      address: this.address,
      step: (event) => {
        if (event.type === "begin") {
          const { image } = this.#world;
          const order = { attempt: 7, gateway: GATEWAY, id: IMAGE_ID, imageBytes: image.length };
          const [begun, effects] = receiveBlocks({ ...order, start: event.start, end: event.end }, event);
          this.state = begun;
          return effects;
        }
        if (this.state === undefined) return [];
        const [next, effects] = receiverStep(this.state, event);
        this.state = next;
        return effects;
      },
      carryOut: (effect) => this.#carryOut(effect),
    });
    station.channel = 1;
    return station;
  }

  #carryOut(effect: Carried): readonly (BlockEvent | Own)[] {
    switch (effect.type) {
      case "eraseSlot":
        this.flash.erase(effect.offset);
        return [{ ...effect, type: "slotErased" }];
      case "writeSlot":
        this.flash.write(effect.offset, effect.bytes);
        return [
          {
            type: "slotWritten",
            attempt: effect.attempt,
            offset: effect.offset,
            length: effect.bytes.length,
          },
        ];
      case "combineParts":
        return [{ type: "partsCombined", attempt: effect.attempt, bytes: combine(this.flash.bytes, effect) }];
      case "raise":
        if (effect.event.type === "blocksFailed") this.failure = effect.event.message;
        if (effect.event.type === "blockStored") this.#install(effect.event.offset, effect.event.length);
        return [];
    }
  }

  /** The installer hashes the block that it waits for; one that is wrong it has fetched again. */
  #install(offset: number, length: number): void {
    if (offset !== this.#verifiedBytes) {
      this.#ahead.set(offset, length);
      return;
    }
    const block = Math.floor(offset / BLOCK_BYTES);
    const { image, air } = this.#world;
    if (
      bytesEqual(this.flash.bytes.subarray(offset, offset + length), image.subarray(offset, offset + length))
    ) {
      this.right.push(block);
      this.#verifiedBytes = offset + length;
      const next = this.#ahead.get(this.#verifiedBytes);
      if (next !== undefined) this.#install(this.#verifiedBytes, next);
      return;
    }
    this.wrong.push(block);
    const { station } = this;
    air.after(1_000, () => {
      if (this.station === station) this.begin();
    });
  }
}

/** Strict NOR flash. */
export class NorFlash {
  readonly bytes: Uint8Array;
  eraseCount = 0;

  /** Full of what an older image has left there. */
  constructor(sizeBytes: number) {
    this.bytes = new Uint8Array(Math.ceil(sizeBytes / SECTOR_BYTES) * SECTOR_BYTES).fill(0x5a);
  }

  erase(offset: number): void {
    if (offset % SECTOR_BYTES !== 0 || offset >= this.bytes.length) throw new Error(`erase at ${offset}`);
    this.bytes.fill(0xff, offset, offset + SECTOR_BYTES);
    this.eraseCount += 1;
  }

  write(offset: number, bytes: Uint8Array): void {
    if (offset % 16 !== 0 || offset + bytes.length > this.bytes.length) throw new Error(`write at ${offset}`);
    for (let i = 0; i < bytes.length; i++) {
      if (this.bytes[offset + i] !== 0xff)
        throw new Error(`write over byte ${offset + i}, which is not erased`);
      this.bytes[offset + i]! &= bytes[i]!;
    }
  }
}

/** What the native code of CombineParts does. */
export function combine(flash: Uint8Array, effect: CombineParts): Uint8Array {
  const { offset, length, parts, parities, combination = 0 } = effect;
  const result = new Uint8Array(PART_BYTES);
  const add = (bytes: Uint8Array) => {
    for (let i = 0; i < bytes.length; i++) result[i]! ^= bytes[i]!;
  };
  for (let part = 0; part < 8 * PART_SET_BYTES; part++) {
    if (((parts[part >> 3]! >> (part & 7)) & 1) === 0) continue;
    if (part >= partCountOf(length)) throw new Error(`part ${part} of a block of ${length} bytes`);
    const start = offset + part * PART_BYTES;
    add(flash.subarray(start, start + partLength(length, part)));
  }
  for (let row = 0; row < 32; row++) {
    if (((combination >> row) & 1) === 1) add(parities!.subarray(row * PART_BYTES, (row + 1) * PART_BYTES));
  }
  return result;
}

export function randomBytes(count: number, seed: string): Uint8Array {
  const random = randomStream(seed);
  return Uint8Array.from({ length: count }, () => Math.floor(random() * 256));
}

/** A whole transfer of a small image with loss, repeated and late frames and power cuts, all from the seed. */
export function runFaults(seed: number): BlockWorld {
  const random = randomStream(`fault/${seed}`);
  const world = new BlockWorld({
    seed,
    imageBytes: 1 + Math.floor(random() * 40_000),
    nodeCount: 1 + Math.floor(random() * 4),
    loss: random() * 0.5,
    duplication: random() * 0.2,
    reorderingMs: random() * 30,
  });
  world.beginAll();
  for (let fault = 0; fault < 2; fault++) {
    world.air.runFor(random() * 3_000);
    const node = world.nodes[Math.floor(random() * world.nodes.length)]!;
    if (random() < 0.5) continue;
    node.cutPower();
    world.air.runFor(random() * 1_000);
    node.restart();
  }
  world.run(3_600_000);
  return world;
}

/** Whether each device's slot holds the image, byte for byte. */
export const areWhole = ({ nodes, image }: BlockWorld): boolean =>
  nodes.every(({ flash, isDone }) => isDone && bytesEqual(flash.bytes.subarray(0, image.length), image));
