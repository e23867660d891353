// The lists of mutations: every module of test/mutations that exports MUTATIONS.

import { readdirSync } from "node:fs";
import { basename } from "node:path";
import type { Mutation } from "../mutation.js";

const FOLDER = new URL("../", import.meta.url);

export interface MutationList {
  /** Such as `rollout`. */
  readonly room: string;
  readonly mutations: readonly Mutation[];
}

export async function readLists(): Promise<readonly MutationList[]> {
  const files = readdirSync(FOLDER).filter((file) => /^(?!.*\.test\.ts$).*\.ts$/.test(file));
  const lists: MutationList[] = [];
  for (const file of files.sort()) {
    const { MUTATIONS } = (await import(new URL(file, FOLDER).href)) as { MUTATIONS?: readonly Mutation[] };
    if (MUTATIONS) lists.push({ room: basename(file, ".ts"), mutations: MUTATIONS });
  }
  return lists;
}
