// Compiles a partition CSV into the binary table, accepting and refusing what ESP-IDF's gen_esp32part.py 1.5 does.
// It never reads a file and never guesses: whatever that program refuses is an error here.

import { createHash } from "node:crypto";
import {
  DATA_SUBTYPE_NVS,
  DATA_SUBTYPE_OTA,
  PARTITION_FLAG_ENCRYPTED,
  PARTITION_FLAG_READ_ONLY,
  PARTITION_TABLE_BYTES,
  PARTITION_TABLE_OFFSET,
  PARTITION_TYPE_APP,
  PARTITION_TYPE_DATA,
  PartitionTableError,
} from "./partition.js";
import {
  type Keywords,
  SUBTYPE_COREDUMP,
  SUBTYPE_PRIMARY,
  SUBTYPE_RECOVERY,
  SUBTYPE_TEE_OTA,
  SUBTYPE_UNDEFINED,
  SUBTYPES,
  TYPE_BOOTLOADER,
  TYPE_PARTITION_TABLE,
  TYPES,
} from "./partition-names.js";

/** Options, each like the generator's option of that name. */
export interface PartitionCsvOptions {
  /** Refuse a table that needs more flash than this. */
  readonly flashBytes?: number;
  /** Offset of the table itself; default: 0x8000. */
  readonly tableOffset?: number;
  /** False leaves the MD5 row out. */
  readonly md5?: boolean;
  /** Needed for entries of the types bootloader and partition_table. */
  readonly primaryBootloaderOffset?: number;
  readonly recoveryBootloaderOffset?: number;
}

interface Row {
  readonly name: string;
  readonly type: number;
  readonly subtype: number;
  offset: number | undefined;
  size: number;
  readonly flags: number;
  readonly lineNumber: number;
}

type PlacedRow = Row & { offset: number };

const TABLE_SECTOR_BYTES = 0x1000;
const OTADATA_BYTES = 0x2000;
/** The line ends of Python's splitlines(); its control characters 0x1C to 0x1E are left out. */
const LINE_END = /\r\n|[\n\r\v\f\p{Zl}\p{Zp}\u0085]/u;
/** NVS needs three pages when it is to be written: one of them is always empty. */
const NVS_WRITABLE_MIN_BYTES = 0x3000;
const APP_OFFSET_ALIGNMENT = 0x10000;
const SECTOR_ALIGNMENT = 0x1000;

const FLAGS: Keywords = Object.freeze({
  encrypted: PARTITION_FLAG_ENCRYPTED,
  readonly: PARTITION_FLAG_READ_ONLY,
});

/**
 * Compiles a CSV text (name, type, subtype, offset, size, flags a line) to the 0xC00 bytes that lie at 0x8000.
 * @throws PartitionTableError with the line or the partition and the numbers.
 */
export function compilePartitionCsv(text: string, options: PartitionCsvOptions = {}): Uint8Array {
  const rows = placeRows(parseRows(text, options), options);
  verifyRows(rows, options);
  if (options.flashBytes !== undefined) verifyFits(rows, options.flashBytes);
  return encodeRows(rows, options.md5 ?? true);
}

function parseRows(text: string, options: PartitionCsvOptions): Row[] {
  const rows: Row[] = [];
  const lines = text.replace(/^\uFEFF/, "").split(LINE_END);
  for (const [index, raw] of lines.entries()) {
    const variable = /^\$([A-Za-z_][A-Za-z0-9_]*)/.exec(raw);
    if (variable !== null) throw refused(`unknown variable "${variable[1]}" in line ${index + 1}`);
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    try {
      rows.push(parseRow(line, index + 1, options));
    } catch (error) {
      if (!(error instanceof PartitionTableError)) throw error;
      throw refused(`line ${index + 1}: ${error.message}`);
    }
  }
  return rows;
}

function parseRow(line: string, lineNumber: number, options: PartitionCsvOptions): Row {
  const fields = line.split(",").map((field) => field.trim());
  const [name = "", typeText = "", subtypeText = "", offsetText = "", sizeText = "", flagsText = ""] = fields;
  if (typeText === "") throw refused("the type is empty");
  const type = parseNumber(typeText, TYPES);
  const subtype = parseSubtype(subtypeText, type);
  const offset = parseOffset(offsetText, type, subtype, options);
  const size = parseSize(sizeText, type, options);
  return { name, type, subtype, offset, size, flags: parseFlags(flagsText), lineNumber };
}

function parseSubtype(text: string, type: number): number {
  if (text !== "") return parseNumber(text, SUBTYPES[type] ?? {});
  if (type === PARTITION_TYPE_APP) throw refused("an app partition needs a subtype");
  return SUBTYPE_UNDEFINED;
}

function parseOffset(
  text: string,
  type: number,
  subtype: number,
  options: PartitionCsvOptions,
): number | undefined {
  if (type === TYPE_BOOTLOADER && subtype === SUBTYPE_PRIMARY) {
    return required(options.primaryBootloaderOffset, "primary");
  }
  if (type === TYPE_BOOTLOADER && subtype === SUBTYPE_RECOVERY) {
    return required(options.recoveryBootloaderOffset, "recovery");
  }
  if (type === TYPE_PARTITION_TABLE && subtype === SUBTYPE_PRIMARY) return tableOffsetOf(options);
  return text === "" ? undefined : parseNumber(text);
}

function parseSize(text: string, type: number, options: PartitionCsvOptions): number {
  if (type === TYPE_BOOTLOADER) {
    return tableOffsetOf(options) - required(options.primaryBootloaderOffset, "primary");
  }
  if (type === TYPE_PARTITION_TABLE) return TABLE_SECTOR_BYTES;
  if (text === "") throw refused("the size is empty");
  return parseNumber(text);
}

function parseFlags(text: string): number {
  let flags = 0;
  for (const flag of text.split(":")) {
    if (flag === "") continue;
    if (!Object.hasOwn(FLAGS, flag)) throw refused(`unknown flag "${flag}"`);
    flags |= FLAGS[flag]!;
  }
  return flags;
}

/** Decimal, 0x, 0o or 0b, negative too, with k or m behind (also repeatedly); else a keyword. */
function parseNumber(text: string, keywords: Keywords = {}): number {
  const suffix = text.at(-1)?.toLowerCase();
  if (suffix === "k") return parseNumber(text.slice(0, -1), keywords) * 1024;
  if (suffix === "m") return parseNumber(text.slice(0, -1), keywords) * 1024 * 1024;
  const value = parseInteger(text.trim());
  if (value !== undefined) return value;
  const keyword = text.toLowerCase();
  if (Object.hasOwn(keywords, keyword)) return keywords[keyword]!;
  const known = Object.keys(keywords).join(", ");
  throw refused(`"${text}" is not valid${known === "" ? "" : `; known are ${known}`}`);
}

/** What Python's int(text, 0) takes: underscores between digits, no leading zeros in decimal numbers. */
function parseInteger(text: string): number | undefined {
  const match =
    /^([+-]?)(0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|[1-9](?:_?[0-9])*|0(?:_?0)*)$/.exec(
      text,
    );
  if (match === null) return undefined;
  const magnitude = Number(match[2]!.replaceAll("_", ""));
  return match[1] === "-" ? -magnitude : magnitude;
}

/** Fills in missing offsets; a negative size means "up to this offset". Rows must be in the order of flash. */
function placeRows(rows: Row[], options: PartitionCsvOptions): PlacedRow[] {
  const tableOffset = tableOffsetOf(options);
  let end = tableOffset + TABLE_SECTOR_BYTES;
  for (const row of rows) {
    if (isPrimary(row)) continue;
    if (row.offset !== undefined && row.offset < end) {
      throw refused(
        `line ${row.lineNumber}: "${row.name}" at ${hex(row.offset)} overlaps what ends at ${hex(end)}` +
          (row === rows[0] ? ` (the partition table at ${hex(tableOffset)})` : ""),
      );
    }
    row.offset ??= Math.ceil(end / offsetAlignment(row)) * offsetAlignment(row);
    if (row.size < 0) row.size = -row.size - row.offset;
    end = row.offset + row.size;
  }
  return rows as PlacedRow[];
}

function verifyRows(rows: readonly PlacedRow[], options: PartitionCsvOptions): void {
  for (const row of rows) verifyRow(row);
  const names = rows.map((row) => row.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw refused(`partition names must be unique, "${twice}" occurs twice`);
  verifyOverlaps(rows, tableOffsetOf(options) + TABLE_SECTOR_BYTES);
  verifyOtadata(rows, DATA_SUBTYPE_OTA, "otadata");
  verifyOtadata(rows, SUBTYPE_TEE_OTA, "TEE otadata");
}

function verifyRow(row: PlacedRow): void {
  const { name, type, subtype, offset, size } = row;
  if (offset % offsetAlignment(row) !== 0) {
    throw refused(
      `partition "${name}": offset ${hex(offset)} is not aligned to ${hex(offsetAlignment(row))}`,
    );
  }
  if (type === PARTITION_TYPE_APP && size % SECTOR_ALIGNMENT !== 0) {
    throw refused(`partition "${name}": size ${hex(size)} is not aligned to ${hex(SECTOR_ALIGNMENT)}`);
  }
  if (type !== PARTITION_TYPE_DATA) return;
  const readOnly = (row.flags & PARTITION_FLAG_READ_ONLY) !== 0;
  if (readOnly && (subtype === DATA_SUBTYPE_OTA || subtype === SUBTYPE_COREDUMP)) {
    throw refused(`partition "${name}" of type 1, subtype ${subtype} cannot be read-only`);
  }
  if (!readOnly && subtype === DATA_SUBTYPE_NVS && size < NVS_WRITABLE_MIN_BYTES) {
    throw refused(
      `partition "${name}": NVS of ${hex(size)} bytes, below ${hex(NVS_WRITABLE_MIN_BYTES)}, must be readonly`,
    );
  }
}

function verifyOverlaps(rows: readonly PlacedRow[], tableEnd: number): void {
  let last: PlacedRow | undefined;
  for (const row of rows.toSorted((left, right) => left.offset - right.offset)) {
    if (row.offset < tableEnd && !isPrimary(row)) {
      throw refused(`partition "${row.name}" at ${hex(row.offset)} is below ${hex(tableEnd)}`);
    }
    if (last !== undefined && row.offset < last.offset + last.size) {
      throw refused(
        `partition "${row.name}" at ${hex(row.offset)} overlaps "${last.name}" ` +
          `(${hex(last.offset)} to ${hex(last.offset + last.size - 1)})`,
      );
    }
    last = row;
  }
}

function verifyOtadata(rows: readonly PlacedRow[], subtype: number, what: string): void {
  const found = rows.filter((row) => row.type === PARTITION_TYPE_DATA && row.subtype === subtype);
  if (found.length > 1) throw refused(`there are ${found.length} ${what} partitions, only one is allowed`);
  if (found[0] !== undefined && found[0].size !== OTADATA_BYTES) {
    throw refused(`${what} is ${hex(found[0].size)} bytes, it must be ${hex(OTADATA_BYTES)}`);
  }
}

function verifyFits(rows: readonly PlacedRow[], flashBytes: number): void {
  const last = rows.toSorted((left, right) => right.offset - left.offset)[0];
  const needed = last === undefined ? 0 : last.offset + last.size;
  if (needed > flashBytes) throw refused(`the partitions need ${needed} bytes, the flash has ${flashBytes}`);
}

function encodeRows(rows: readonly PlacedRow[], md5: boolean): Uint8Array {
  const encoded = Buffer.concat(rows.map(encodeRow));
  const parts = [encoded];
  if (md5) {
    parts.push(Buffer.from([0xeb, 0xeb]), Buffer.alloc(14, 0xff), createHash("md5").update(encoded).digest());
  }
  const table = Buffer.concat(parts);
  // The last 32 bytes stay free: an end is needed behind the rows.
  if (table.length >= PARTITION_TABLE_BYTES) {
    throw refused(`the table is ${table.length} bytes, it must stay below ${PARTITION_TABLE_BYTES}`);
  }
  const padded = new Uint8Array(PARTITION_TABLE_BYTES).fill(0xff);
  padded.set(table);
  return padded;
}

function encodeRow(row: PlacedRow): Buffer {
  checkField(row, "type", row.type, 0xff);
  checkField(row, "subtype", row.subtype, 0xff);
  checkField(row, "offset", row.offset, 0xffffffff);
  checkField(row, "size", row.size, 0xffffffff);
  const entry = Buffer.alloc(32);
  entry.writeUInt16LE(0x50aa, 0);
  entry.writeUInt8(row.type, 2);
  entry.writeUInt8(row.subtype, 3);
  entry.writeUInt32LE(row.offset, 4);
  entry.writeUInt32LE(row.size, 8);
  Buffer.from(row.name, "utf8").copy(entry, 12, 0, 16);
  entry.writeUInt32LE(row.flags, 28);
  return entry;
}

function checkField(row: Row, field: string, value: number, max: number): void {
  if (value < 0 || value > max)
    throw refused(`partition "${row.name}": ${field} ${value} is not within 0 to ${max}`);
}

function isPrimary(row: Row): boolean {
  return (
    (row.type === TYPE_BOOTLOADER || row.type === TYPE_PARTITION_TABLE) && row.subtype === SUBTYPE_PRIMARY
  );
}

function offsetAlignment(row: Row): number {
  return row.type === PARTITION_TYPE_APP ? APP_OFFSET_ALIGNMENT : SECTOR_ALIGNMENT;
}

function tableOffsetOf(options: PartitionCsvOptions): number {
  return options.tableOffset ?? PARTITION_TABLE_OFFSET;
}

function required(offset: number | undefined, which: string): number {
  if (offset === undefined) throw refused(`the ${which} boot loader's offset is not given`);
  return offset;
}

function hex(value: number): string {
  return value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}

function refused(message: string): PartitionTableError {
  return new PartitionTableError("INVALID_CSV", message);
}
