// Whatever is in otadata, the boot loader starts what can be started, by the rules, and keeps what was validated. The
// rules are implemented here a second time, independently of the boot loader.

import { expect } from "chai";
import { runBootLoader } from "../../../../host-sim/hardware/boot/boot-loader.js";
import { OTA_STATE } from "../../../../host-sim/hardware/boot/otadata.js";
import { crc32 } from "../../../../host-sim/hardware/crc32.js";
import { Flash, SECTOR_BYTES } from "../../../../host-sim/hardware/flash/flash.js";
import {
  compilePartitionCsv,
  type Partition,
  parsePartitionTable,
} from "../../../../host-sim/hardware/partitions/partition-table.js";
import { randomStream } from "../../../../host-sim/world/random.js";

const PAIR_COUNT = 100_000;
const OTADATA = 0xe000;
const NOTHING_BOOTS = "nothing";

type Entry = Buffer;

interface Case {
  readonly entries: readonly [Entry, Entry];
  readonly factory: boolean;
  readonly slotCount: number;
  /** Labels of the partitions that hold an image that can be started. */
  readonly bootable: ReadonlySet<string>;
}

const sequenceOf = (entry: Entry) => entry.readUInt32LE(0);
const stateOf = (entry: Entry) => entry.readUInt32LE(24);
const hasGoodCrc = (entry: Entry) => entry.readUInt32LE(28) === crc32(entry.subarray(0, 4));
const isRuledOut = (entry: Entry) =>
  sequenceOf(entry) === 0xffffffff || [OTA_STATE.INVALID, OTA_STATE.ABORTED].includes(stateOf(entry) as 3);
const isUsable = (entry: Entry) => !isRuledOut(entry) && hasGoodCrc(entry);

/** A random case; unusual numbers come often. */
function draw(random: () => number): Case {
  const below = (count: number) => Math.floor(random() * count);
  const of = <T>(...values: readonly T[]): T => values[below(values.length)]!;
  const word = () => below(2 ** 32);
  const entry = (): Entry => {
    const bytes = Buffer.alloc(32, 0xff);
    if (below(12) === 0) return bytes;
    bytes.writeUInt32LE(
      of(below(9), below(9), below(9), 0xffffffff - below(9), 0x7fffffff + below(3), word()),
    );
    if (below(4) === 0) for (let at = 4; at < 24; at++) bytes[at] = below(256);
    const { NEW, PENDING_VERIFY, VALID, INVALID, ABORTED, UNDEFINED } = OTA_STATE;
    bytes.writeUInt32LE(of(NEW, PENDING_VERIFY, VALID, VALID, INVALID, ABORTED, UNDEFINED, 5, word()), 24);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 4)), 28);
    if (below(5) === 0) bytes[28 + below(4)]! ^= 1 << below(8);
    if (below(10) === 0) bytes.fill(0xff, below(32)); // an interrupted write
    return bytes;
  };
  const slotCount = 1 + below(4);
  const factory = below(2) === 0;
  const labels = Array.from({ length: slotCount }, (_, slot) => `ota_${slot}`);
  if (factory) labels.push("factory");
  return {
    entries: [entry(), entry()],
    factory,
    slotCount,
    bootable: new Set(labels.filter(() => below(4) > 0)),
  };
}

/** What has to start, by the rules. */
function ruledChoice({ entries, factory, slotCount, bootable }: Case): string {
  const seen = entries.map((entry) => {
    const copy = Buffer.from(entry);
    if (stateOf(copy) === OTA_STATE.PENDING_VERIFY) copy.writeUInt32LE(OTA_STATE.ABORTED, 24);
    return copy;
  });
  const order: string[] = [];
  const slotsFrom = (slot: number) => {
    for (let index = slot; index >= 0; index--) order.push(`ota_${index}`);
    order.push("factory");
    for (let index = slot + 1; index < slotCount; index++) order.push(`ota_${index}`);
  };
  const usable = seen.filter(isUsable);
  if (seen.every(isRuledOut)) slotsFrom(factory ? -1 : 0);
  else if (usable.length === 0) slotsFrom(-1);
  else {
    const highest = usable.reduce((best, entry) => (sequenceOf(entry) > sequenceOf(best) ? entry : best));
    slotsFrom(Number(BigInt.asUintN(32, BigInt(sequenceOf(highest)) - 1n) % BigInt(slotCount)));
  }
  return (
    order.find((label) => (label === "factory" ? factory : true) && bootable.has(label)) ?? NOTHING_BOOTS
  );
}

const tables = new Map<string, Partition[]>();

function tableOf({ factory, slotCount }: Case): Partition[] {
  const key = `${factory} ${slotCount}`;
  const apps = Array.from({ length: slotCount }, (_, slot) => `ota_${slot},app,ota_${slot},,64K`);
  if (factory) apps.unshift("factory,app,factory,0x10000,64K");
  const table =
    tables.get(key) ??
    parsePartitionTable(compilePartitionCsv(["otadata,data,ota,0xe000,8K", ...apps].join("\n")));
  tables.set(key, table);
  return table;
}

describe("otadata of any kind", function () {
  this.timeout(120_000);

  it(`leads to what the rules say in ${PAIR_COUNT} random pairs, and two more boots keep what was validated`, () => {
    const random = randomStream("otadata");
    const flash = new Flash(0x10000);
    const seen = { booted: 0, trials: 0, kept: 0, returned: 0 };
    for (let number = 0; number < PAIR_COUNT; number++) {
      const test = draw(random);
      const where = `pair ${number}: ${test.entries.map((entry) => entry.toString("hex")).join(" ")}`;
      const boot = () =>
        runBootLoader(flash, tableOf(test), {
          rollback: true,
          chip: "esp32",
          checkImage: ({ label }) => test.bootable.has(label),
        }).booted?.label ?? NOTHING_BOOTS;
      const entryNow = (index: number) => Buffer.from(flash.read(OTADATA + index * SECTOR_BYTES, 32));
      flash.bytes.fill(0xff, OTADATA);
      for (const index of [0, 1] as const)
        flash.bytes.set(test.entries[index], OTADATA + index * SECTOR_BYTES);

      const expected = ruledChoice(test);
      const boots = [boot(), boot(), boot()];
      if (boots[0] !== expected) expect(boots[0], where).equal(expected);
      if (test.bootable.size > 0 && boots.includes(NOTHING_BOOTS)) expect(boots, where).equal("all boot");
      if (expected !== NOTHING_BOOTS) seen.booted++;
      if (boots[0] !== boots[1]) seen.trials++;

      const validated = [0, 1].filter(
        (index) => stateOf(test.entries[index]!) === OTA_STATE.VALID && isUsable(test.entries[index]!),
      );
      for (const index of validated) {
        seen.kept++;
        if (!entryNow(index).equals(test.entries[index]!)) expect.fail(`${where}: entry ${index} is lost`);
      }
      // the other one was not validated and is on trial at most once: the validated image runs again by the third boot
      const [only] = validated;
      if (validated.length !== 1 || !isTrial(test.entries[1 - only!]!)) continue;
      const slot = `ota_${Number(BigInt.asUintN(32, BigInt(sequenceOf(test.entries[only!]!)) - 1n) % BigInt(test.slotCount))}`;
      if (!test.bootable.has(slot)) continue;
      seen.returned++;
      if (boots[2] !== slot) expect(boots[2], where).equal(slot);
    }
    expect(seen.booted).above(PAIR_COUNT * 0.9);
    expect(seen.trials).above(1_000);
    expect(seen.kept).above(10_000);
    expect(seen.returned).above(3_000);
  });
});

const isTrial = (entry: Entry) =>
  !isUsable(entry) || stateOf(entry) === OTA_STATE.NEW || stateOf(entry) === OTA_STATE.PENDING_VERIFY;
