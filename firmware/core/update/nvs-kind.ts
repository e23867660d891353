// How a firmware keeps its settings in NVS, and whether another firmware could read them. Pure.

import type { Failure } from "../errors.js";
import type { NvsKind } from "../event.js";

/** From the kind and the key's block in an image's description; undefined: a kind that is not known here. */
export function nvsKindOf(kind: number, key: number): NvsKind | undefined {
  if (kind === 1) return `hmac${key}`;
  return kind === 0 ? "plain" : kind === 2 ? "nvs-keys" : undefined;
}

/** Why an image could not read the settings of the running firmware; nothing if it can, or if one of them does not say. */
export function nvsMismatch(ours: NvsKind | undefined, its: string | undefined): Failure | undefined {
  if (ours === undefined || its === undefined || ours === its) return undefined;
  const message = `image keeps its settings ${describeNvs(its)}, this firmware ${describeNvs(ours)}: they would be lost`;
  return { code: "NVS_MISMATCH", message };
}

/** A kind that is not known here is quoted as it is. */
const describeNvs = (nvs: string): string =>
  nvs === "plain" ? "plain" : `encrypted (${nvs.startsWith("hmac") ? `eFuse KEY${nvs.slice(4)}` : nvs})`;
