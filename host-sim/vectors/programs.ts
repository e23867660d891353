// Golden programs: small modules with what they printed on the SDK, run as the app of a fresh virtual device through bundler, image,
// boot loader and engine. A line is a case.

import { join } from "node:path";
import type { Engine } from "../engine/engine.js";
import { Flash, type FlashTimings } from "../hardware/flash/flash.js";
import { runProgram } from "../sim/run-program.js";
import type { FileReport } from "./comparison.js";
import type { VectorFolder } from "./folder.js";

export type EngineName = "v8" | "xs";

export const PROGRAMS = "moddable";

/** Programs that restart by an uncaught error, as they should, end with 1. */
const STATUS: Readonly<Record<string, number>> = { panic: 1 };
/** The last line of a program: what follows does not count. */
const LAST_LINE = "DONE";

const FLASH_BYTES = 8 * 1024 * 1024;
/** What ran the programs has a flash that takes no time, and no watchdog: they erase whole slots in one turn. */
const INSTANT: FlashTimings = Object.freeze({
  eraseSectorMs: 0,
  eraseBlockMs: 0,
  programPageMs: 0,
  programByteMs: 0,
});

type Reasons = Readonly<Record<string, Readonly<Record<string, string>>>>;

const MESSAGE = "the same kind of error, the message is V8's own";

const OLDER = "the XS that npm carries is older than the SDK's";

/** By engine, program and label: lines that may differ, and why. A listed line that is equal counts as equal. */
const ON_PURPOSE: Readonly<Record<EngineName, Reasons>> = Object.freeze({
  v8: {
    globals: {
      "typeof Compartment": "not offered: one firmware, one realm",
      "typeof ModuleSource": "not offered: one firmware, one realm",
      "typeof Float16Array": "V8 has it from Node 24 on",
      "typeof JSON.rawJSON": "V8 has it from Node 22 on",
      "typeof Symbol.dispose": "V8 has it from Node 24 on, and it cannot be taken away",
    },
    "engine-xs": {
      "add to a prototype": MESSAGE,
      "JSON of BigInt": MESSAGE,
      "undefined property": MESSAGE,
      "call of undefined": MESSAGE,
      "assign to const": MESSAGE,
      undeclared: MESSAGE,
      "JSON.parse error": MESSAGE,
      "string length of an emoji": "V8's strings are UTF-16, XS counts characters",
    },
  },
  xs: {
    globals: Object.fromEntries(
      [
        "typeof Iterator",
        "typeof Float16Array",
        "typeof Array.fromAsync",
        "typeof Object.groupBy",
        "typeof Promise.withResolvers",
        "typeof Promise.try",
        "typeof Math.irandom",
        "typeof Math.f16round",
        "typeof RegExp.escape",
        "typeof Uint8Array.fromHex",
        "typeof JSON.rawJSON",
        "typeof Error.isError",
        "typeof Array.prototype.toSorted",
        "typeof String.prototype.isWellFormed",
        "typeof Set.prototype.union",
        "typeof Map.prototype.getOrInsert",
        "typeof Uint8Array.prototype.toBase64",
        "typeof DataView.prototype.getFloat16",
      ].map((label) => [label, OLDER]),
    ),
    "engine-xs": { "call of undefined": OLDER },
    text: { "String.fromArrayBuffer of a view": OLDER, "Uint8Array base64": OLDER },
  },
});

/** The programs of a folder, by name. */
export function programNames(folder: VectorFolder): string[] {
  const files = folder.list(PROGRAMS).filter((file) => file.endsWith(".js"));
  return files.map((file) => file.slice(0, -".js".length));
}

/** @param engine what to run it on; V8 unless given. */
export async function checkProgram(folder: VectorFolder, name: string, engine?: Engine): Promise<FileReport> {
  const file = `${PROGRAMS}/${name}.js`;
  const engineName = engine === undefined ? "v8" : "xs";
  const expected = folder.text(`${PROGRAMS}/${name}.out`).trimEnd().split("\n");
  let printed = "";
  let errors = "";
  const status = await runProgram(join(folder.path, file), {
    out: (text) => {
      printed += text;
    },
    err: (text) => {
      errors += text;
    },
    flash: new Flash(FLASH_BYTES, undefined, INSTANT),
    interface: name === "nonet" ? "none" : "unlinked",
    ...(engine === undefined ? {} : { engine }),
  });
  const report = compareLines(printed.split("\n"), expected, ON_PURPOSE[engineName][name] ?? {});
  const title = `${file} on ${engineName === "v8" ? "V8" : "XS"}`;
  const expectedStatus = STATUS[name] ?? 0;
  if (status === expectedStatus || report.different > 0) return { file: title, ...report };
  const first = { at: `exit status ${errors}`.trim(), found: status, expected: expectedStatus };
  return { file: title, ...report, equal: report.equal - 1, different: 1, first };
}

function compareLines(
  printed: readonly string[],
  expected: readonly string[],
  reasons: Readonly<Record<string, string>>,
): Omit<FileReport, "file"> {
  const end = printed.indexOf(LAST_LINE);
  const found = end === -1 ? printed : printed.slice(0, end + 1);
  const onPurpose: { at: string; reason: string }[] = [];
  const differences: { at: string; found: unknown; expected: unknown }[] = [];
  for (let index = 0; index < Math.max(found.length, expected.length); index += 1) {
    const [got, wanted] = [found[index], expected[index]];
    if (got === wanted) continue;
    const reason = wanted === undefined ? undefined : reasons[labelOf(wanted)];
    if (reason !== undefined && got !== undefined && isAllowed(got, wanted!, reason)) {
      onPurpose.push({ at: labelOf(wanted!), reason });
    } else {
      differences.push({ at: `line ${index + 1}`, found: got, expected: wanted });
    }
  }
  const [first] = differences;
  const cases = Math.max(found.length, expected.length);
  return {
    cases,
    equal: cases - differences.length - onPurpose.length,
    different: differences.length,
    onPurpose,
    ...(first ? { first } : {}),
  };
}

/** A line with this label has to exist, and an error has to be of the same kind. */
function isAllowed(found: string, expected: string, reason: string): boolean {
  if (labelOf(found) !== labelOf(expected)) return false;
  return reason !== MESSAGE || kindOf(found) === kindOf(expected);
}

const labelOf = (line: string): string => line.split(" => ")[0] ?? "";
const kindOf = (line: string): string | undefined => / => (\w+Error)/.exec(line)?.[1];
