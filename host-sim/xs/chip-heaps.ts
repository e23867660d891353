// The heaps that a build for each chip has, from the manifest that it is built with (firmware/memory.json). What the SDK's own
// JavaScript and C functions need there is taken off, because they run in Node here.

import { readFileSync } from "node:fs";
import { areaHeap, blockHeap, type XsHeap } from "./heap.js";

/**
 * Of the SDK's resolver, DNS-SD and sockets, and of its HTTP client, which firmware used when this was measured: 3 072 bytes of slots and 272 of chunks, measured by running SDK 8.2.3's
 * JavaScript of these modules inside XS beside the firmware (BridgeOptions.sources) while it streamed an update, as the difference
 * of what was claimed. The rest of the chunks is what a C3 in QEMU had claimed more than that. With these a build for a cable, which has
 * neither Wi-Fi nor DNS-SD, claimed 21 488 bytes of slots and 18 228 of chunks there, of 1.2 MB; here it is 23 552 and 22 292, of 1.5 MB.
 */
export const SDK_SLOT_BYTES = 3_072;
export const SDK_CHUNK_BYTES = 3_072;

export const HEAP_CHIPS = Object.freeze(["esp32", "esp32c3", "esp32s3", "esp32c6"] as const);
export type HeapChip = (typeof HEAP_CHIPS)[number];

interface Creation {
  readonly static: number;
  readonly chunk: { readonly initial: number; readonly incremental: number };
  readonly heap: { readonly initial: number; readonly incremental: number };
  readonly stack: number;
}
interface Manifest {
  readonly platforms: Readonly<Record<string, { readonly creation: Creation }>>;
}

const BYTES_PER_SLOT = 16;
const FIRMWARE = new URL("../../firmware/", import.meta.url);

/** What Skyslot's manifest gives a chip, and what the manifest of an app with a radio changes in it. */
export function chipHeap(chip: HeapChip, app = "base"): XsHeap {
  const { include } = read<{ readonly include: readonly string[] }>(`apps/${app}/manifest.json`);
  const files = [
    "memory.json",
    ...(include.includes("../../memory-radio.json") ? ["memory-radio.json"] : []),
  ];
  const platform = chip === "esp32" ? chip : `esp32/${chip}`;
  const creations = files.map((file) => read<Manifest>(file).platforms[platform]?.creation);
  return heapOf(Object.assign({}, ...creations));
}

const read = <File>(path: string): File => JSON.parse(readFileSync(new URL(path, FIRMWARE), "utf8"));

/** What the SDK gives a C3 that is built without a `creation` of its own (targets/esp32c3/manifest.json). */
export const sdkC3Heap = (): XsHeap =>
  heapOf({
    static: 94_208,
    chunk: { initial: 1_536, incremental: 512 },
    heap: { initial: 512, incremental: 64 },
    stack: 384,
  });

function heapOf({ static: staticBytes, chunk, heap, stack }: Creation): XsHeap {
  if (staticBytes > 0)
    return {
      ...blockHeap(staticBytes - SDK_SLOT_BYTES - SDK_CHUNK_BYTES),
      initialChunkBytes: chunk.initial,
      chunkIncrementBytes: chunk.incremental,
      initialSlotCount: heap.initial,
      slotIncrementCount: heap.incremental,
      stackCount: stack,
    };
  return areaHeap(chunk.initial - SDK_CHUNK_BYTES, heap.initial * BYTES_PER_SLOT - SDK_SLOT_BYTES, stack);
}
