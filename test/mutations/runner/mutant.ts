// Loaded into a process that runs tests on a mutant: makes the mutated text of one file visible to everything that reads that file
// (tsx reads sources by readFileSync), so that no copy of the project is needed. Workers inherit it.

import fs from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Mutation, mutate } from "../mutation.js";

const mutation = JSON.parse(process.env.SKYSLOT_MUTATION ?? "null") as Mutation | null;
if (mutation) {
  const read = fs.readFileSync;
  const path = resolve(mutation.file);
  const text = mutate(read(path, "utf8"), mutation);
  const isMutated = (file: fs.PathOrFileDescriptor) =>
    typeof file !== "number" && resolve(file instanceof URL ? fileURLToPath(file) : String(file)) === path;
  fs.readFileSync = ((file: fs.PathOrFileDescriptor, ...rest: never[]) => {
    if (!isMutated(file)) return read(file, ...(rest as [never]));
    return rest.length === 0 ? Buffer.from(text) : text;
  }) as typeof fs.readFileSync;
}
