// `npm run fuzz -- roots|statements|manifests`: random documents that somebody has signed, each judged by a device's code and by a reference written with jose.

import { parseArgs } from "node:util";
import { judgeManifest, makeManifest } from "./manifests.js";
import { judge, makeInput, randomFrom } from "./roots.js";
import { judgeStatement, makeStatement } from "./statements.js";

interface Verdict {
  readonly device: boolean;
  readonly reference: boolean;
  readonly verifications?: number;
}
type Judge = (random: () => number) => Promise<readonly [input: unknown, verdict: Verdict | undefined]>;

const JUDGES: Readonly<Record<string, Judge>> = Object.freeze({
  roots: async (random) => {
    const input = makeInput(random);
    return [input, await judge(input)];
  },
  statements: async (random) => {
    const input = makeStatement(random);
    return [input, await judgeStatement(input)];
  },
  manifests: async (random) => {
    const input = makeManifest(random);
    return [input, await judgeManifest(input)];
  },
});

const MAX_VERIFICATIONS = 5;

export async function main(kind: string, args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { inputs: { type: "string", default: "100000" }, seed: { type: "string", default: "1" } },
  });
  const seed = Number(values.seed);
  const decide = JUDGES[kind]!;
  const counts = { inputs: 0, accepted: 0, verifications: 0, differing: 0 };
  for (let index = 0; index < Number(values.inputs); index++) {
    const [input, verdict] = await decide(randomFrom(seed * 1_000_003 + index));
    if (!verdict) continue;
    const { device, reference, verifications = 0 } = verdict;
    counts.inputs += 1;
    counts.accepted += reference ? 1 : 0;
    counts.verifications += verifications;
    if (device === reference && verifications <= MAX_VERIFICATIONS) continue;
    counts.differing += 1;
    console.error(`input ${index}: device ${device}, reference ${reference}\n${JSON.stringify(input)}`);
  }
  console.log(JSON.stringify({ kind, seed, ...counts }));
  if (counts.differing > 0) process.exitCode = 1;
}
