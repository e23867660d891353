// Checks every file of a folder of golden vectors. Files that no checker knows are reported, never skipped.

import type { Engine } from "../engine/engine.js";
import { antiRollbackChecker } from "./anti-rollback.js";
import { bootChecker } from "./boot.js";
import { type CaseChecker, checkCases, type FileReport } from "./comparison.js";
import type { VectorFolder } from "./folder.js";
import { imageChecker, mutationChecker } from "./images.js";
import { checkMeshSession, MESH, meshSessionNames, readMeshSession } from "./mesh.js";
import { generatedChecker, mountCutChecker, powerCutChecker, scriptChecker } from "./nvs.js";
import { otaChecker } from "./ota.js";
import { csvChecker, tableChecker } from "./partitions.js";
import { checkProgram, PROGRAMS, programNames } from "./programs.js";

/** A file whose cases are not compared, and why. */
export interface NotCovered {
  readonly file: string;
  readonly reason: string;
}

export interface CheckOptions {
  /** Runs the golden programs on XS as well; without it they are reported as not covered, with this reason. */
  readonly xs: Engine | string;
  /** Called with each report as soon as it is complete. */
  readonly onReport?: (report: FileReport) => void;
}

export interface FolderReport {
  readonly files: readonly FileReport[];
  readonly notCovered: readonly NotCovered[];
}

// biome-ignore lint/suspicious/noExplicitAny: each checker knows the cases of its own file
type AnyChecker = CaseChecker<any, VectorFolder>;

const CHECKERS: Readonly<Record<string, AnyChecker>> = Object.freeze({
  "boot-rollback": bootChecker(true),
  "boot-plain": bootChecker(false),
  "boot-powercut": bootChecker(true),
  images: imageChecker,
  "image-mutations": mutationChecker,
  "partition-csv": csvChecker,
  "partition-tables": tableChecker,
  "nvs-scripts": scriptChecker,
  "nvs-powercut": powerCutChecker,
  "nvs-powercut-mount": mountCutChecker,
  "nvs-generator": generatedChecker,
  "ota-sequences": otaChecker,
  "anti-rollback-boot": antiRollbackChecker,
  "anti-rollback-ota": antiRollbackChecker,
});

/** Files without cases of their own: what the cases refer to, and text for people. */
const COMPANIONS: readonly string[] = ["ota-layouts.json", "anti-rollback-images.json", "README.md"];
/** Folders whose files the cases refer to, or that are checked file by file. */
const KNOWN_FOLDERS: readonly string[] = ["images", "nvs-generator", PROGRAMS, MESH];

/** @throws Error when there is nothing to check, or the files cannot be read */
export async function checkFolder(folder: VectorFolder, options: CheckOptions): Promise<FolderReport> {
  const files: FileReport[] = [];
  const notCovered: NotCovered[] = [];
  const take = (report: FileReport): void => {
    files.push(report);
    options.onReport?.(report);
  };
  for (const file of folder.list()) {
    if (COMPANIONS.includes(file)) continue;
    if (CHECKERS[nameOf(file)] === undefined) notCovered.push({ file, reason: "no checker knows this file" });
    else take(checkFile(folder, file));
  }
  for (const subfolder of folder.subfolders()) {
    if (KNOWN_FOLDERS.includes(subfolder)) continue;
    const reason = "no checker knows this folder";
    notCovered.push({ file: `${subfolder}/ (${folder.list(subfolder).length} files)`, reason });
  }
  for (const name of meshSessionNames(folder)) {
    for (const report of checkMeshSession(folder, readMeshSession(folder, name))) take(report);
  }
  for (const name of programNames(folder)) {
    take(await checkProgram(folder, name));
    if (typeof options.xs === "string")
      notCovered.push({ file: `${PROGRAMS}/${name}.js on XS`, reason: options.xs });
    else take(await checkProgram(folder, name, options.xs));
  }
  if (files.length === 0) throw new Error(`${folder.path} has no golden vectors`);
  return { files, notCovered };
}

/** @param name of a file, with or without its ending, such as "boot-plain" */
export function checkFile(folder: VectorFolder, name: string): FileReport {
  const checker = CHECKERS[nameOf(name)];
  const file = folder.list().find((file) => nameOf(file) === nameOf(name));
  if (checker === undefined || file === undefined)
    throw new Error(`no checker knows ${name}, or it is not there`);
  return checkCases(file, folder.cases<unknown>(file), checker, folder);
}

const nameOf = (file: string): string => file.replace(/\.jsonl?$/, "");
