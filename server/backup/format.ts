// The form of an export: lines of JSON, each an object, in this order.
//
//   {"skyslot":"export","version":1,"created":"2026-…","migrations":["0001_first",…]}
//   {"table":"devices","row":{"id":"base-010203",…}}        every row of every table; a table after those it refers to
//   {"table":"firmware","counter":12}                       the last id that was given, behind the rows of such a table
//   {"blob":"<SHA-256>","data":"<base64>"}                  a piece of a file, in its order; none without files
//   {"blob":"<SHA-256>","end":true}                         the file is whole; "missing":true: there was none
//   {"end":true,"rows":123,"blobs":4}                       without this line the export is cut off
//
// `migrations` says what the columns mean: an import makes the tables as they were, fills them, and brings them up to date.

export const FORMAT_VERSION = 1;

export type Value = string | number | null;
export type Row = Readonly<Record<string, Value>>;

export type ExportLine =
  | {
      readonly skyslot: "export";
      readonly version: number;
      /** ISO 8601. */
      readonly created: string;
      readonly migrations: readonly string[];
    }
  | { readonly table: string; readonly row: Row }
  | { readonly table: string; readonly counter: number }
  | { readonly blob: string; readonly data: string }
  | { readonly blob: string; readonly end: true; readonly missing?: true }
  | { readonly end: true; readonly rows: number; readonly blobs: number };

/** A row is a few kilobytes, a piece of a file 64. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const NEWLINE = 10;

/** @throws Error that says which line is wrong */
export async function* readLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<ExportLine> {
  let number = 0;
  for await (const bytes of splitLines(source)) {
    number++;
    if (bytes.length === 0) continue;
    yield parseLine(bytes.toString("utf8"), number);
  }
}

function parseLine(text: string, number: number): ExportLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`line ${number} of the export is not JSON: ${text.slice(0, 60)}`);
  }
  if (!isLine(value))
    throw new Error(`line ${number} of the export is of no known form: ${text.slice(0, 60)}`);
  return value;
}

function isLine(value: unknown): value is ExportLine {
  if (typeof value !== "object" || value === null) return false;
  const { skyslot, version, migrations, table, row, counter, blob, data, end } = value as Record<
    string,
    unknown
  >;
  if (skyslot !== undefined)
    return skyslot === "export" && typeof version === "number" && isListOfTexts(migrations);
  if (table !== undefined) return typeof table === "string" && (isRow(row) || Number.isSafeInteger(counter));
  if (blob !== undefined) return typeof blob === "string" && (typeof data === "string" || end === true);
  return end === true;
}

const isListOfTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((element) => typeof element === "string");

const isRow = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  Object.values(value).every((cell) => cell === null || typeof cell === "string" || typeof cell === "number");

async function* splitLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let pieces: Buffer[] = [];
  let length = 0;
  for await (const chunk of source) {
    let rest = Buffer.from(chunk);
    for (let at = rest.indexOf(NEWLINE); at >= 0; at = rest.indexOf(NEWLINE)) {
      yield Buffer.concat([...pieces, rest.subarray(0, at)]);
      rest = rest.subarray(at + 1);
      pieces = [];
      length = 0;
    }
    pieces.push(rest);
    length += rest.length;
    if (length > MAX_LINE_BYTES)
      throw new Error(`a line of the export is longer than ${MAX_LINE_BYTES} bytes`);
  }
  if (length > 0) yield Buffer.concat(pieces);
}
