// What else a device reads in its flash at a start: otadata, the partition table, the slot that does not run. Each input is a start of its
// own. What the boot loader itself refuses is not the firmware's fault, and not started.

import {
  encodeOtadataEntry,
  makeOtadataEntry,
  OTADATA_ENTRY_BYTES,
} from "../../../../host-sim/hardware/boot/otadata.js";
import {
  compilePartitionCsv,
  PARTITION_TABLE_OFFSET,
} from "../../../../host-sim/hardware/partitions/partition-table.js";
import { below, chance, pick, type Random } from "../../values.js";
import type { Ground } from "../ground.js";
import type { Input, Kind } from "../kind.js";
import { startAnew } from "./start-anew.js";

export const tables: Kind = {
  name: "tables",
  what: "otadata, partition tables, heads of images",
  share: 1,
  start: "home",
  make,
};

const HEAD = "nvs,data,nvs,0x9000,0x5000\n";
const OTADATA = "otadata,data,ota,0xe000,0x2000\n";
const OTADATA_OFFSET = 0xe000;
const SECTOR_BYTES = 4096;

/** Tables with the image in their first app partition, at 0x20000. */
const TABLES: readonly string[] = Object.freeze([
  `${HEAD}${OTADATA}factory,app,factory,0x20000,2M\nota_0,app,ota_0,0x220000,2M\nota_1,app,ota_1,0x420000,2M\n`,
  `${HEAD}${OTADATA}factory,app,factory,0x20000,2M\nota_0,app,ota_0,0x220000,2M\n`,
  `${HEAD}${OTADATA}ota_0,app,ota_0,0x20000,2M\nota_1,app,ota_1,0x220000,2M\n`,
  `${HEAD}${OTADATA}ota_0,app,ota_0,0x20000,2M\n`,
  `${HEAD}${OTADATA}factory,app,factory,0x20000,2M\n`,
  `${HEAD}factory,app,factory,0x20000,2M\n`,
  `${HEAD}factory,app,factory,0x20000,2M\nota_0,app,ota_0,0x220000,2M\nota_1,app,ota_1,0x420000,2M\n`,
  `${HEAD}${OTADATA}factory,app,factory,0x20000,2M\nota_0,app,ota_0,0x220000,64K\nota_1,app,ota_1,0x420000,64K\n`,
  `${HEAD}${OTADATA}factory,app,factory,0x20000,1M\n${Array.from({ length: 16 }, (_, n) => `ota_${n},app,ota_${n},${0x120000 + n * 0x50000},256K\n`).join("")}`,
  `${HEAD}${OTADATA}factory,app,factory,0x20000,2M\nota_0,app,ota_0,0x220000,2M\nota_1,app,ota_1,0x420000,2M\nmore,data,fat,0x620000,1M\n`,
]);

interface Change {
  readonly text: string;
  apply(ground: Ground): void;
}

function make(random: Random, ground: Ground): Input {
  const table = chance(random, 0.6) ? TABLES[0]! : pick(random, TABLES);
  const changes = [
    ...(chance(random, 0.7) ? [otadata(random, 0), otadata(random, 1)] : []),
    ...(chance(random, 0.6) ? [slot(random, 0x220000)] : []),
    ...(chance(random, 0.3) ? [slot(random, 0x420000)] : []),
  ];
  return {
    text: [`table ${TABLES.indexOf(table)}`, ...changes.map(({ text }) => text)].join("; "),
    allows: ["trial", "roll-back", "update"],
    async feed(house) {
      const change = () => {
        writeTable(ground, table);
        for (const { apply } of changes) apply(ground);
      };
      house.device.powerOff();
      ground.load("home");
      change();
      if (ground.wouldStart()?.isOurs) {
        const outcome = await startAnew(house, ground, "home", change);
        return `${outcome} from ${house.device.running?.label}`;
      }
      ground.load("home");
      house.device.powerOn();
      return "not started";
    },
  };
}

function writeTable({ flash, touched }: Ground, csv: string): void {
  flash.bytes.fill(255, PARTITION_TABLE_OFFSET, PARTITION_TABLE_OFFSET + SECTOR_BYTES);
  flash.bytes.set(compilePartitionCsv(csv, { flashBytes: flash.sizeBytes }), PARTITION_TABLE_OFFSET);
  touched(PARTITION_TABLE_OFFSET, SECTOR_BYTES);
}

const SEQUENCES = Object.freeze([0, 1, 2, 3, 4, 100, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff]);
const STATES = Object.freeze([0, 1, 2, 3, 4, 5, 0x10, 0xfffffffe, 0xffffffff]);

function otadata(random: Random, index: 0 | 1): Change {
  const entry = encodeOtadataEntry(makeOtadataEntry(pick(random, SEQUENCES), pick(random, STATES)));
  const isDamaged = chance(random, 0.2);
  if (isDamaged) entry[below(random, OTADATA_ENTRY_BYTES)] = below(random, 256);
  return {
    text: `entry ${index} ${Buffer.from(entry).toString("hex")}`,
    apply({ flash, touched }) {
      const offset = OTADATA_OFFSET + index * SECTOR_BYTES;
      flash.bytes.fill(255, offset, offset + SECTOR_BYTES);
      flash.bytes.set(entry, offset);
      touched(offset, SECTOR_BYTES);
    },
  };
}

/** The image, with or without damage at its head, or noise. */
function slot(random: Random, offset: number): Change {
  const damages = Array.from(
    { length: pick(random, [0, 0, 1, 4]) },
    () => [below(random, 400), below(random, 256)] as const,
  );
  const isNoise = chance(random, 0.2);
  return {
    text: `${isNoise ? "noise" : `the image with ${damages.length} bytes changed`} at 0x${offset.toString(16)}`,
    apply({ flash, image, touched }) {
      if (isNoise) flash.bytes.fill(0x5a, offset, offset + SECTOR_BYTES);
      else flash.bytes.set(image, offset);
      for (const [at, value] of damages) flash.bytes[offset + at] = value;
      touched(offset, image.length);
    },
  };
}
