// `skyslot partitions`: compiles partition tables, and lists them.

import type { Command } from "commander";
import type { PartitionReport } from "../../host-sim/flash-file/flash-report.js";
import { defined } from "../shared/defined.js";
import { printRows, show, sizeText, UsageError } from "./output.js";

interface CompileFlags {
  readonly out: string;
  readonly flashSize?: number;
  readonly offset?: number;
  readonly md5: boolean;
  readonly json?: boolean;
}

const MEGABYTE = 1024 * 1024;
/** Longest CSV or table: a table has at most 95 rows. */
const FILE_BYTES_MAX = 64 * 1024;

export function partitionsCommand(program: Command): void {
  const partitions = program.command("partitions").description("compile and inspect partition tables");
  partitions
    .command("compile <csv>")
    .description("compile a CSV to the binary table at 0x8000, by the rules of ESP-IDF's gen_esp32part.py")
    .requiredOption("-o, --out <file>", "binary table")
    .option("--flash-size <size>", "reject a table that needs more flash than this, such as 8MB", flashBytes)
    .option("--offset <address>", "address of the table (default: 0x8000)", address)
    .option("--no-md5", "omit the MD5 row")
    .option("--json", "print JSON")
    .action(compile);
  partitions
    .command("inspect <file>")
    .description("list the partitions of a CSV, a binary table or a whole flash")
    .option("--json", "print JSON")
    .action(inspect);
}

async function compile(csv: string, flags: CompileFlags): Promise<void> {
  const { writeFile } = await import("node:fs/promises");
  const { compilePartitionCsv, parsePartitionTable } = await import(
    "../../host-sim/hardware/partitions/partition-table.js"
  );
  const { describePartition } = await import("../../host-sim/flash-file/flash-report.js");
  const table = compilePartitionCsv(new TextDecoder().decode(await readBounded(csv)), {
    md5: flags.md5,
    ...defined({ flashBytes: flags.flashSize, tableOffset: flags.offset }),
  });
  await writeFile(flags.out, table);
  const partitions = parsePartitionTable(table).map(describePartition);
  await show(flags, { file: flags.out, bytes: table.length, partitions }, ({ file, bytes }) => {
    printPartitions(partitions);
    return `${file}, ${sizeText(bytes)}`;
  });
}

async function inspect(path: string, flags: { readonly json?: boolean }): Promise<void> {
  const { describePartition } = await import("../../host-sim/flash-file/flash-report.js");
  const partitions = (await readPartitions(path)).map(describePartition);
  await show(flags, { partitions }, () => printPartitions(partitions));
}

/** A flash is recognised by its size, a table by its magic number; anything else is CSV. */
async function readPartitions(path: string) {
  const { readFile, stat } = await import("node:fs/promises");
  const { compilePartitionCsv, parsePartitionTable } = await import(
    "../../host-sim/hardware/partitions/partition-table.js"
  );
  if ((await stat(path)).size > FILE_BYTES_MAX) {
    const { openFlash } = await import("../../host-sim/flash-file/open.js");
    return openFlash(await readFile(path)).partitions;
  }
  const bytes = await readFile(path);
  const isTable = bytes[0] === 0xaa && bytes[1] === 0x50;
  return parsePartitionTable(isTable ? bytes : compilePartitionCsv(new TextDecoder().decode(bytes)));
}

async function readBounded(path: string): Promise<Uint8Array> {
  const { readFile, stat } = await import("node:fs/promises");
  const { size } = await stat(path);
  if (size > FILE_BYTES_MAX) throw new Error(`${path} has ${size} bytes, a CSV at most ${FILE_BYTES_MAX}`);
  return readFile(path);
}

export function printPartitions(partitions: readonly PartitionReport[]): void {
  const hex = (value: number) => `0x${value.toString(16)}`;
  printRows(partitions, {
    PARTITION: "label",
    TYPE: "type",
    SUBTYPE: "subtype",
    OFFSET: ({ offset }) => hex(offset),
    SIZE: ({ size }) => hex(size),
    BYTES: "size",
    FLAGS: ({ encrypted, readOnly }) =>
      [encrypted && "encrypted", readOnly && "readonly"].filter(Boolean).join(":"),
  });
}

/** `8MB`, `4M` or bytes. */
export function flashBytes(text: string): number {
  const [, digits, unit] = /^(\d{1,9})(MB?)?$/i.exec(text) ?? [];
  const bytes = Number(digits) * (unit === undefined ? 1 : MEGABYTE);
  if (digits === undefined || bytes === 0 || bytes % 4096 !== 0 || bytes > 128 * MEGABYTE) {
    throw new UsageError(`"${text}" is not a flash size such as 4MB, 8MB or 16MB`);
  }
  return bytes;
}

function address(text: string): number {
  if (!/^(0x[0-9a-f]{1,7}|\d{1,9})$/i.test(text))
    throw new UsageError(`"${text}" is not an address such as 0x8000`);
  return Number(text);
}
