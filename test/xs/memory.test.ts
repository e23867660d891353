import { expect } from "chai";
import type { XsUse } from "../../host-sim/xs/bridge.js";
import { buildXs } from "../../host-sim/xs/build.js";
import {
  chipHeap,
  HEAP_CHIPS,
  SDK_CHUNK_BYTES,
  SDK_SLOT_BYTES,
  sdkC3Heap,
} from "../../host-sim/xs/chip-heaps.js";
import { ROOMY_HEAP, type XsHeap } from "../../host-sim/xs/heap.js";
import { imageOf } from "../journey/rig.js";
import { APPS } from "./apps.js";
import { ChipBench, padded, skipUnless32Bit } from "./chip-bench.js";
import { expectInTable, rowOf } from "./table.js";

const HOUR_MS = 3_600_000;
const KIB = 1024;
/** What must stay free: TLS takes 2.4 KB of it (tls.test.ts), an app of your own the rest. */
const UNCLAIMED_LEAST_BYTES = 16 * KIB;
/** As large as firmware for a chip is with Wi-Fi. */
const UPDATE_BYTES = 1_500_000;
/** Computation that an app may use for each KiB of an update. */
const BYTECODE_LIMIT = 5_000;

const { bits } = buildXs();

/** What an app needs in a chip's heap, the SDK's part of it included. */
interface Figures {
  readonly app: string;
  readonly heap: string;
  /** Live after a garbage collection. */
  readonly idle: XsUse;
  /** While it streamed an update, checked it and armed it. */
  readonly streaming: XsUse;
  readonly bytecodesPerKib: number;
}

/** What the SDK gives a C3, except the stack: Skyslot's needs do not shrink with the heap. */
const LEAST_HEAP: XsHeap = { ...sdkC3Heap(), stackCount: chipHeap("esp32c3").stackCount };
const HEAPS: readonly (readonly [string, XsHeap])[] = [
  ["SDK's C3", LEAST_HEAP],
  ...HEAP_CHIPS.map((chip) => [chip, chipHeap(chip)] as const),
];

const nameOf = (heap: XsHeap): string => JSON.stringify(heap);
const heaps = new Map(HEAPS.map(([, heap]) => [nameOf(heap), heap]));
const heapOf = (chip: string): XsHeap | undefined =>
  heaps.get(nameOf(HEAPS.find(([name]) => name === chip)![1]));

describe("memory and computation inside XS", () => {
  let bench: ChipBench;
  const figures: Figures[] = [];
  before(function () {
    skipUnless32Bit(this);
  });
  afterEach(() => bench?.close());
  after(() => figures.length > 0 && print(figures));

  /** Streams an update to its end. */
  async function measure(app: string, heap: XsHeap): Promise<Figures> {
    const update = padded(await imageOf(app, "1.1.0", "esp32", { type: app }), UPDATE_BYTES);
    bench = await ChipBench.start({ app, heap, update });
    expect(bench.idle, `${app} never was idle: ${bench.reports}`).not.equal(undefined);
    bench.offer();
    expect(await bench.until(() => bench.hasReported("verified")), bench.reports.join()).equal(true);
    const before = bench.bridge.use().bytecodeCount;
    expect(await bench.until(() => bench.hasReported("armed")), bench.reports.join()).equal(true);
    const streaming = bench.bridge.use();
    bench.expectNoRestart();
    const bytecodesPerKib = Math.round((streaming.bytecodeCount - before) / (update.length / KIB));
    return { app, heap: nameOf(heap), idle: bench.idle!, streaming, bytecodesPerKib };
  }

  for (const heap of heaps.values()) {
    const chips = HEAPS.flatMap(([chip, of]) => (nameOf(of) === nameOf(heap) ? [chip] : [])).join(", ");
    for (const app of APPS) {
      it(`${app} leaves 16 KiB of the heap while it streams an update: ${chips}`, async () => {
        const found = await measure(app, heap);
        figures.push(found);
        expect(found.streaming.unclaimedBytes).above(UNCLAIMED_LEAST_BYTES);
        expect(found.bytecodesPerKib).within(100, BYTECODE_LIMIT);
        const row = rowOf(found.idle, found.streaming);
        if (heap === heapOf("esp32")) expectInTable("ESP32", app, row);
        if (heap === heapOf("esp32s3")) expectInTable("S3", app, row);
      });
    }
  }

  for (const app of APPS) {
    it(`${app} leaves a quarter of XS's stack`, async () => {
      bench = await ChipBench.start({ app, heap: ROOMY_HEAP });
      bench.offer();
      expect(await bench.until(() => bench.hasReported("armed"))).equal(true);
      const used = Math.max(bench.setupStackCount, bench.bridge.use().peakStackCount);
      expect(used).within(100, (Math.min(...HEAPS.map(([, { stackCount }]) => stackCount)) * 3) / 4);
    });
  }

  it("does not start if nothing is preloaded, like a real C3: slots run out while modules are imported", async () => {
    bench = await ChipBench.start({ heap: sdkC3Heap(), isPreloaded: false });
    expect(bench.idle).equal(undefined);
    expect(bench.reports[0]).equal("# Slot allocation: failed for 1024 bytes");
    expect(bench.rig.checks).deep.equal([]);
  });

  it("holds no more after an hour of checks than before", async () => {
    bench = await ChipBench.start({ heap: ROOMY_HEAP });
    const { world } = bench.rig.desk;
    await world.runFor(HOUR_MS);
    const { checks } = bench.rig;
    expect(checks.length).above(25);
    const count = checks.length;
    await bench.until(() => checks.length > count);
    await world.runFor(30_000); // until it is as idle as before
    const after = bench.bridge.collect();
    expect(after.slotBytes - bench.idle!.slotBytes, "slots").within(-512, 512);
    expect(after.chunkBytes - bench.idle!.chunkBytes, "chunks").within(-512, 512);
  });

  it("restarts firmware that needs more than the machine has, and still finishes the update", async () => {
    bench = await ChipBench.start({ heap: ROOMY_HEAP });
    const { slotBytes, chunkBytes } = bench.bridge.watch();
    bench.bridge.watch(slotBytes + chunkBytes + 4 * KIB);
    bench.offer();
    expect(await bench.until(() => bench.hasReported("validated"))).equal(true);
    expect(bench.restarts).deep.equal(["outOfMemory", "restart"]);
  });
});

/** A row for each chip and app; figures in bytes. */
function print(figures: readonly Figures[]): void {
  const rows = [
    [
      "chip",
      "app",
      "of",
      "idle: slots",
      "chunks",
      "streaming: slots",
      "chunks",
      "unclaimed",
      "bytecodes per KiB",
    ],
  ];
  for (const [chip, heap] of HEAPS) {
    for (const { app, idle, streaming, bytecodesPerKib } of figures.filter(
      ({ heap: of }) => of === nameOf(heap),
    )) {
      const numbers = [totalBytes(heap), ...rowOf(idle, streaming), bytecodesPerKib];
      rows.push([chip, app, ...numbers.map(String)]);
    }
  }
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padStart(widths[column]!)).join("  "));
  process.stdout.write(
    `\n      XS ${bits}-bit; an update of ${UPDATE_BYTES} bytes\n      ${lines.join("\n      ")}\n`,
  );
}

/** The block without XS's stack, or both areas. */
const totalBytes = ({ staticBytes, chunkBytes, slotBytes, stackCount }: XsHeap): number =>
  SDK_SLOT_BYTES +
  SDK_CHUNK_BYTES +
  (staticBytes > 0 ? staticBytes - stackCount * 16 : chunkBytes + slotBytes);
