import { expect } from "chai";
import type { Mutation } from "./device/image.js";
import { KINDS } from "./device/kinds/index.js";
import { fuzzDevice } from "./device/run.js";

/** `FUZZ_SEED` repeats a run; `npm run fuzz -- device` is the long one. */
const seed = process.env.FUZZ_SEED ?? "skyslot";
const INPUT_COUNT = 4000;

describe("a device under random inputs", function () {
  this.timeout(600_000);

  it(`neither restarts, hangs nor grows with ${INPUT_COUNT} of every kind, and keeps its image`, async () => {
    const { findings, kinds } = await fuzzDevice({ seed, inputCount: INPUT_COUNT });
    expect(findings, `seed ${seed}`).deep.equal([]);
    expect([...kinds.keys()]).have.members(KINDS.map(({ name }) => name));
    // The inputs get somewhere: they are not all refused for one reason.
    for (const [name, { answers }] of kinds)
      expect([...answers].filter(([, count]) => count > 2).length, name).above(1);
  });

  it("does the same with the same seed", async () => {
    const run = async () => [...(await fuzzDevice({ seed, inputCount: 200, only: "answers" })).kinds];
    expect(await run()).deep.equal(await run());
  });
});

interface Planted {
  readonly what: string;
  readonly only: string;
  readonly inputCount: number;
  readonly fault: RegExp;
  readonly mutation: Mutation;
}

/** Faults of a firmware, each with the kind of input that has to show it. */
const PLANTED: readonly Planted[] = [
  {
    what: "an adapter that throws",
    only: "queries",
    inputCount: 200,
    fault: /^restart by uncaught, Error: no reply/,
    mutation: {
      file: "firmware/platform/server.ts",
      original: "if (!packet || !reply) return;",
      mutated: 'if (!packet || !reply) throw new Error("no reply");',
    },
  },
  {
    what: "a loop over a name of a query",
    only: "queries",
    inputCount: 4000,
    fault: /^restart by watchdog/,
    mutation: {
      file: "firmware/core/wifi/dns.ts",
      original:
        "    if (length > 63) return undefined;\n    offset += length + 1;\n    if (length === 0) return offset;",
      mutated:
        "    if (length > 63) continue;\n    offset += length + 1;\n    if (length === 0) return offset;",
    },
  },
  {
    what: "a device that does not check again after a long pause",
    only: "answers",
    inputCount: 400,
    fault: /^no check within|does not check for updates any more$/,
    mutation: {
      file: "firmware/core/update/state.ts",
      original: "delayMs: jitteredMs(state.checkSeconds * 1000, random),",
      mutated:
        "delayMs: state.checkSeconds > 86_000 ? 2_000_000_000 : jitteredMs(state.checkSeconds * 1000, random),",
    },
  },
  {
    what: "a state that grows with each event",
    only: "answers",
    inputCount: 200,
    fault: /^growth: \d+ characters of state/,
    mutation: {
      file: "firmware/core/local/espota.ts",
      original: "chance: (digits + state.chance).slice(0, NONCE_DIGITS)",
      mutated: "chance: digits.repeat(9) + state.chance",
    },
  },
  {
    what: "a device that does not check signatures",
    only: "answers",
    inputCount: 600,
    fault: /^restart for "update"/,
    mutation: {
      file: "firmware/platform/signature.ts",
      original: "digest.close(), rs) === 1;",
      mutated: "digest.close(), rs) !== 2;",
    },
  },
  {
    what: "a device that takes any token",
    only: "pages",
    inputCount: 600,
    fault: /^restart for "(owner|factory-reset|roll-back)"/,
    mutation: {
      file: "firmware/core/local/owner-proof.ts",
      original: "given.length <= MAX_TOKEN_CHARACTERS && textsEqual(given, owner.token);",
      mutated: "given.length > 0;",
    },
  },
  {
    what: "a beacon that is read behind its end",
    only: "frames",
    inputCount: 2000,
    fault: /^restart by uncaught, RangeError/,
    mutation: {
      file: "firmware/core/radio/beacon.ts",
      original: "(type !== BEACON && type !== SEEK) || bytes.length < FRAME_BYTES)",
      mutated: "(type !== BEACON && type !== SEEK))",
    },
  },
  {
    what: "neighbours that keep their place when they have gone",
    only: "mesh-gateway",
    inputCount: 200,
    fault: /^a new neighbour was answered/,
    mutation: {
      file: "firmware/platform/mesh/mesh-port.ts",
      original: 'if (this.#links.delete(neighbour)) this.dispatch({ type: "meshClosed", neighbour });',
      mutated: 'if (this.#links.has(neighbour)) this.dispatch({ type: "meshClosed", neighbour });',
    },
  },
  {
    what: "an upload whose signature nobody checks",
    only: "uploads",
    inputCount: 1000,
    fault: /^restart for "update"/,
    mutation: {
      file: "firmware/platform/signature.ts",
      original: "digest.close(), rs) === 1;",
      mutated: "digest.close(), rs) !== 2;",
    },
  },
];

describe("the fuzz of a device", function () {
  this.timeout(300_000);

  for (const { what, only, inputCount, fault, mutation } of PLANTED) {
    it(`finds ${what}, and the inputs that bring it about`, async () => {
      const { findings } = await fuzzDevice({
        seed: "planted",
        inputCount,
        only,
        ground: { mutation },
        isOver: (found) => fault.test(found),
      });
      const found = findings.find((one) => fault.test(one.fault));
      expect(found, JSON.stringify(findings.map((one) => one.fault))).not.equal(undefined);
      const again = await fuzzDevice({
        seed: "planted",
        inputCount: 1,
        only,
        ground: { mutation },
        replay: found!.inputs,
      });
      expect(again.findings[0]?.fault).match(fault);
    });
  }
});
