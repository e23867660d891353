// From a fault to the fewest inputs that bring it about: the last one alone, or it with as few before it as possible. A device is cheap, and
// the same inputs do the same, so it tries.

import { runTrial, type Trial, type Verdict } from "./trial.js";

/** Inputs that are fed to find them. */
const MAX_FED = 3000;

/** Faults that differ only in numbers are one. */
export const signatureOf = (fault: string): string => fault.replace(/\d+/g, "#");

export async function minimise(trial: Trial, verdict: Verdict): Promise<readonly number[]> {
  const { indices, index, isAfterwards, fault } = { ...trial, ...verdict };
  const wanted = signatureOf(fault ?? "");
  let fedCount = 0;
  const brings = async (some: readonly number[]): Promise<boolean> => {
    if (fedCount > MAX_FED) return false;
    fedCount += some.length;
    const { onFed: _, onTrace: __, ...quiet } = trial;
    const { fault: found } = await runTrial({ ...quiet, indices: some });
    return found !== undefined && signatureOf(found) === wanted;
  };
  const fed = isAfterwards ? indices : indices.slice(0, indices.indexOf(index) + 1);
  if (!isAfterwards && (await brings([index]))) return [index];
  return withoutNeedless(fed, brings);
}

/** Leaves out halves, quarters … down to single inputs, as long as the rest brings the fault about. */
async function withoutNeedless(
  fed: readonly number[],
  brings: (some: readonly number[]) => Promise<boolean>,
): Promise<readonly number[]> {
  let kept = fed;
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = 0; start < kept.length && kept.length > 1; ) {
      const rest = [...kept.slice(0, start), ...kept.slice(start + size)];
      if (rest.length > 0 && (await brings(rest))) kept = rest;
      else start += size;
    }
  }
  return kept;
}
