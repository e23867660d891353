// A data folder with the sample fleet: filled once, and known again by a file, so that the fleet never lives in a store of real devices.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fillWithSampleFleet, type SampleOptions } from "./sample-fleet.js";

const FILE_NAME = "sample-fleet";

/** @throws Error with a sentence for the operator: the store has something else in it, or another sample fleet */
export async function fillSampleFolder(folder: string, options: SampleOptions): Promise<void> {
  const file = join(folder, FILE_NAME);
  const seed = await readFile(file, "utf8").catch(() => undefined);
  if (seed === undefined) {
    await fillWithSampleFleet(options);
    await writeFile(file, options.seed);
  } else if (seed !== options.seed)
    throw new Error(
      `this folder has the sample fleet "${seed}": start with --demo ${seed}, or choose another folder with --data`,
    );
}
