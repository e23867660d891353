// Golden vectors of the partition table: what gen_esp32part.py compiles or refuses, and what the boot loader takes out of binaries.

import {
  bootPartitions,
  compilePartitionCsv,
  type Partition,
  type PartitionCsvOptions,
  PartitionTableError,
  parsePartitionTable,
} from "../hardware/partitions/partition-table.js";
import { type CaseChecker, compare } from "./comparison.js";
import type { VectorFolder } from "./folder.js";

export interface CsvCase {
  readonly kind: string;
  readonly csv: string;
  readonly flash_size: string | null;
  readonly args: readonly string[];
  readonly exit: number;
  readonly binary_base64: string | null;
}

export interface TableCase {
  readonly kind: string;
  readonly flash_bytes: number;
  readonly table_base64: string;
  readonly verify: string;
  readonly count: number;
  readonly loaded: boolean;
  readonly state?: object;
}

const MEGABYTE = 0x100000;
const REFUSED = "refused";

export const csvChecker: CaseChecker<CsvCase, VectorFolder> = {
  describe: ({ kind, csv }) => `${kind}: ${JSON.stringify(csv)}`,
  difference: (test) =>
    compare(
      compileOrRefuse(test),
      test.binary_base64 === null ? REFUSED : new Uint8Array(Buffer.from(test.binary_base64, "base64")),
    ),
};

export const tableChecker: CaseChecker<TableCase, VectorFolder> = {
  describe: ({ kind }) => kind,
  difference: (test) => {
    const { verify, count, state } = test;
    return compare(loadTable(test), { verify, count, ...(state === undefined ? {} : { state }) });
  },
};

function compileOrRefuse(test: CsvCase): Uint8Array | string {
  try {
    return compilePartitionCsv(test.csv, optionsOf(test));
  } catch (error) {
    if (error instanceof PartitionTableError) return REFUSED;
    throw error;
  }
}

function optionsOf({ args, flash_size: flashSize }: CsvCase): PartitionCsvOptions {
  const argument = (name: string) => {
    const index = args.indexOf(name);
    return index === -1 ? undefined : Number(args[index + 1]);
  };
  const tableOffset = argument("--offset");
  const primaryBootloaderOffset = argument("--primary-bootloader-offset");
  return {
    md5: !args.includes("--disable-md5sum"),
    ...(flashSize === null ? {} : { flashBytes: Number.parseInt(flashSize, 10) * MEGABYTE }),
    ...(tableOffset === undefined ? {} : { tableOffset }),
    ...(primaryBootloaderOffset === undefined ? {} : { primaryBootloaderOffset }),
  };
}

function loadTable(test: TableCase): object {
  const bytes = new Uint8Array(Buffer.from(test.table_base64, "base64"));
  try {
    const partitions = parsePartitionTable(bytes, { flashBytes: test.flash_bytes });
    return { verify: "ESP_OK", count: partitions.length, state: stateOf(partitions) };
  } catch (error) {
    if (error instanceof PartitionTableError) return { verify: error.code, count: 0 };
    throw error;
  }
}

function stateOf(partitions: readonly Partition[]): object {
  const table = bootPartitions(partitions);
  const place = (partition: Partition | undefined) =>
    partition === undefined ? [0, 0] : [partition.offset, partition.size];
  const slots = table.ota.flatMap((partition, slot) =>
    partition === undefined ? [] : [[`ota_${slot}`, place(partition)] as const],
  );
  return {
    otadata: place(table.otadata),
    factory: place(table.factory),
    test: place(table.test),
    app_count: table.appCount,
    ota: Object.fromEntries(slots),
  };
}
