// Trust roots in files: read, written, shown. A root's file is replaced as a whole, since it may hold the only copy of somebody's signature.

import type { Root } from "../../firmware/core/trust/root.js";
import type { KeyPoint } from "../../firmware/core/wire.js";
import type { RootFile } from "../../release/root.js";
import type { RootReport } from "../../release/root-report.js";
import { bold, printLine, printRows, UsageError, yellow } from "./output.js";
import { toMinute } from "./times.js";

/** @throws ReleaseError ROOT_REFUSED */
export async function readRootFile(file: string): Promise<RootFile> {
  const { readFile } = await import("node:fs/promises");
  const { readRoot } = await import("../../release/root.js");
  return readRoot(await readFile(file, "utf8"));
}

/**
 * The root before one: of the file that is named, or `root-N.json` beside it; `undefined`: there is none there.
 * @throws UsageError if the file has another version
 */
export async function readPrevious(
  file: string,
  { version }: Root,
  named: string | undefined,
): Promise<Root | undefined> {
  if (version === 1) return undefined;
  const { join, dirname } = await import("node:path");
  const before = named ?? join(dirname(file), rootName(version - 1));
  const read = await readRootFile(before).catch((error: NodeJS.ErrnoException) => {
    if (named === undefined && error.code === "ENOENT") return undefined;
    throw error;
  });
  if (read && read.root.version !== version - 1)
    throw new UsageError(
      `${before} is root ${read.root.version}, before root ${version} comes ${version - 1}`,
    );
  return read?.root;
}

export const rootName = (version: number): string => `root-${version}.json`;

/** @param isNew it must not be there yet */
export async function writeRootFile(file: string, text: string, isNew: boolean): Promise<void> {
  const { rename, writeFile } = await import("node:fs/promises");
  if (isNew) return writeFile(file, `${text}\n`, { flag: "wx" });
  await writeFile(`${file}.new`, `${text}\n`);
  await rename(`${file}.new`, file);
}

export async function readPoint(file: string): Promise<KeyPoint> {
  const { readFile } = await import("node:fs/promises");
  const { readPublicKey } = await import("../../release/keys.js");
  const { x = "", y = "" } = readPublicKey(await readFile(file, "utf8"), file);
  return { x, y };
}

/** @param missing what a device still misses, empty: nothing */
export function printRoot(report: RootReport, missing: string): void {
  printLine(bold(`root ${report.version}, expires ${toMinute(report.expires_at)}`));
  const counts = [
    `${report.threshold} of ${countOf(report, "root")} root keys sign the next root`,
    `${report.release_threshold} of ${countOf(report, "release")} release keys sign a release`,
  ];
  if (report.min_security_version > 0)
    counts.push(`releases have security version ${report.min_security_version} or more`);
  for (const { type, sequence } of report.fast_forward)
    counts.push(`releases of ${type} count anew from sequence ${sequence}`);
  for (const line of counts) printLine(`  ${line}`);
  printRows(report.keys, {
    KEY: "kid",
    ROLES: ({ roles }) => roles.join(", "),
    SIGNED: ({ has_signed, roles }) => (has_signed ? "yes" : roles.includes("root") ? "no" : ""),
  });
  for (const kid of report.signed_by_others) printLine(`signed by ${kid}, a key of the root before only`);
  if (report.unknown_signatures > 0)
    printLine(yellow(`${report.unknown_signatures} of its signatures cannot be verified`));
  printLine(missing === "" ? "devices take it" : yellow(`missing: ${missing}`));
}

const countOf = ({ keys }: RootReport, role: "root" | "release"): number =>
  keys.filter(({ roles }) => roles.includes(role)).length;
