// `npm run fuzz -- roots`: random trust roots, each judged by a device's code and by the reference.

import { parseArgs } from "node:util";
import { judge, makeInput, randomFrom } from "./roots.js";

export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { inputs: { type: "string", default: "100000" }, seed: { type: "string", default: "1" } },
  });
  const seed = Number(values.seed);
  const counts = { inputs: 0, accepted: 0, verifications: 0, differing: 0 };
  for (let index = 0; index < Number(values.inputs); index++) {
    const input = makeInput(randomFrom(seed * 1_000_003 + index));
    const verdict = await judge(input);
    if (!verdict) continue;
    counts.inputs += 1;
    counts.accepted += verdict.reference ? 1 : 0;
    counts.verifications += verdict.verifications;
    if (verdict.device === verdict.reference && verdict.verifications <= 5) continue;
    counts.differing += 1;
    console.error(
      `input ${index}: device ${verdict.device}, reference ${verdict.reference}\n${JSON.stringify(input)}`,
    );
  }
  console.log(JSON.stringify({ seed, ...counts }));
  if (counts.differing > 0) process.exitCode = 1;
}
