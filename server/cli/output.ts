// Output of commands: tables and colours on a terminal, plain text in a pipe, JSON for programs. Every line is made printable: devices and
// servers write part of it.

import { randomUUID } from "node:crypto";
import { printable, printableJson } from "../shared/printable.js";

/** The command line is wrong. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const hasColours = (): boolean =>
  process.stdout.isTTY === true && (process.env.NO_COLOR ?? "") === "" && process.env.TERM !== "dumb";
/** Stands for an escape character of ours until the line is printed: no text from elsewhere can have it. */
const OWN_ESCAPE = `\u001b${randomUUID()}`;
const paint = (code: number) => (text: string) =>
  hasColours() ? `${OWN_ESCAPE}[${code}m${text}${OWN_ESCAPE}[0m` : text;

export const bold = paint(1);
export const red = paint(31);
export const green = paint(32);
export const yellow = paint(33);

let write = (text: string): unknown => process.stdout.write(text);

/** Redirects the output of commands. @returns what restores it */
export function redirectOutput(to: (text: string) => void): () => void {
  const before = write;
  write = to;
  return () => {
    write = before;
  };
}

/** One line: a line break in it is shown as `\n`. */
export const printLine = (text = ""): void => void write(`${paintedLine(text)}\n`);
const paintedLine = (text: string): string => text.split(OWN_ESCAPE).map(printable).join("\u001b");

/** A text of several lines. */
export function printLines(text: string): void {
  for (const line of text.split(/\r?\n/)) printLine(line);
}

/** Redraws lines that were printed before. @param count of them, 0 if there were none */
export function redrawLines(lines: readonly string[], count: number): void {
  const [first = "", ...others] = lines.map(paintedLine);
  const up = count > 0 ? `\u001b[${count}A` : "";
  write(`${up}\u001b[J${[first, ...others].join("\n")}\n`);
}

export const printJson = (value: unknown): void => printJsonLine(value, process.stdout.isTTY ? 2 : 0);
/** For programs that read one value a line. */
export const printJsonLine = (value: unknown, indent = 0): void =>
  void write(`${printableJson(JSON.stringify(value, undefined, indent))}\n`);

/** Prints an answer: with `--json` as it is, otherwise as text, which `print` returns or prints itself. */
export async function show<Answer>(
  { json }: { readonly json?: boolean },
  answer: Answer | Promise<Answer>,
  print: (answer: Answer) => unknown,
): Promise<void> {
  const shown = await answer;
  if (json) return printJson(shown);
  const text = await print(shown);
  if (typeof text === "string") printLine(text);
}

/** Columns as wide as their widest cell. */
export function printTable(titles: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => widthOf(row[column] ?? ""))),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - widthOf(cell)))
      .join("  ")
      .trimEnd();
  printLine(bold(line(titles)));
  for (const row of rows) printLine(line(row));
}

/** Columns on the terminal. */
const widthOf = (cell: string): number =>
  cell
    .split(OWN_ESCAPE)
    .map((part, index) => printable(index === 0 ? part : part.replace(/^\[\d+m/, "")))
    .join("").length;

type Cell = string | number | boolean | null | undefined;
/** What a column shows: a field, or what is made of the row. */
type Column<Row> =
  | { [Field in keyof Row]: Row[Field] extends Cell ? Field : never }[keyof Row]
  | ((row: Row) => Cell);

/** A table with a column for each title. */
export function printRows<Row>(rows: readonly Row[], columns: Readonly<Record<string, Column<Row>>>): void {
  const cells = Object.values(columns).map((column) =>
    typeof column === "function" ? column : (row: Row) => row[column] as Cell,
  );
  printTable(
    Object.keys(columns),
    rows.map((row) => cells.map((cellOf) => textOf(cellOf(row)))),
  );
}
const textOf = (cell: Cell): string => (typeof cell === "boolean" ? (cell ? "yes" : "no") : `${cell ?? ""}`);

/** Such as `290.9 KiB`. @param count of bytes */
export function sizeText(count: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let value = count;
  let unit = 0;
  // What would be rounded to 1024.0 is 1.0 of the next unit.
  for (; value >= (unit === 0 ? 1024 : 1023.95) && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** A secret is alone on standard output, for scripts. @param what says whose it is */
export function printSecret(secret: string, what: string): void {
  printLine(secret);
  process.stderr.write(`${what}; it is not shown again\n`);
}

/** One sentence for anything that was thrown. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, path, port, address } = error as NodeJS.ErrnoException & { port?: number; address?: string };
  if (code === "ENOENT" && path) return `file ${path} does not exist`;
  if (code === "EACCES" && path) return `no permission to read or write ${path}`;
  if (code === "EEXIST" && path) return `${path} already exists`;
  if (code === "EISDIR") return `${path ?? "that"} is a folder`;
  if (code === "EADDRINUSE") return `port ${port} of ${address} is in use: choose another with --port`;
  return printable(error.message.split("\n")[0] ?? error.name);
}

/** An integer of 0 or more. @throws UsageError */
export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`"${text}" is not an integer from 0 to 999999999`);
  return Number(text);
}
