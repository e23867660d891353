// What a gateway's machines hold in XS, by the number of their nodes: tables that are full do not grow.

import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { build } from "esbuild";
import { cachedImage } from "../../firmware/core/gateway/cached-image.js";
import { MAX_JOB_NODE_COUNT } from "../../firmware/core/gateway/job-nodes.js";
import { writeKeptJob } from "../../firmware/core/gateway/job-order.js";
import { XsBridge } from "../../host-sim/xs/bridge.js";
import { buildXs } from "../../host-sim/xs/build.js";
import { makeRelease } from "../firmware/core/gateway/update-server.js";
import { skipUnless32Bit } from "./chip-bench.js";

const LOAD = fileURLToPath(new URL("gateway-load.ts", import.meta.url));
const NODE_COUNTS = [0, 1, 10, 50, 200] as const;

const { program } = buildXs();

/** An order for all devices of the type of test releases. */
function order(): string {
  const { manifest, image } = makeRelease(40_000);
  return writeKeptJob({
    isCommitted: false,
    isTakenBack: false,
    order: {
      id: 1,
      firmwareId: 7,
      nodeType: "base",
      hardware: "ESP32",
      version: "1.1.0",
      build: 0,
      md5: "0".repeat(32),
      sizeBytes: image.length,
      target: "/api/ota/download/7",
      image: cachedImage("/api/ota/download/7", "/api/ota/download/7/digests", manifest),
      isForced: false,
      rule: "each",
      nodeId: undefined,
    },
  });
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [LOAD],
    bundle: true,
    format: "esm",
    target: "es2023",
    platform: "neutral",
    mainFields: ["module", "main"],
    external: ["skyslot:*"],
    write: false,
    logLevel: "silent",
  });
  return outputFiles[0]!.text;
}

/** Bytes of slots and chunks that are alive when so many nodes have asked for all that they ask for. */
function heldBytes(code: string, nodeCount: number): number {
  const load = { nodeCount, order: order() };
  const bridge = new XsBridge(
    {
      moduleOf: (specifier) => (specifier === "skyslot:load" ? load : undefined),
      uptimeMs: () => 0,
      random: () => 0.5,
      trace: (text) => process.stdout.write(text),
      promiseJobsQueued: () => {},
      isGlobal: () => false,
      isForFirmware: (error) => error instanceof Error,
    },
    { program },
  );
  try {
    bridge.run(code);
    const { slotBytes, chunkBytes } = bridge.collect();
    return slotBytes + chunkBytes;
  } finally {
    bridge.close();
  }
}

describe("a gateway's memory inside XS", () => {
  it("does not grow with its nodes once its tables are full", async function () {
    skipUnless32Bit(this);
    const code = await bundle();
    const [none, ...loaded] = NODE_COUNTS.map((nodeCount) => heldBytes(code, nodeCount));
    const grown = loaded.map((bytes) => bytes - none!);
    const figures = grown.map((bytes, index) => `${NODE_COUNTS[index + 1]}: ${bytes}`).join(", ");
    process.stdout.write(`      bytes held for so many nodes: ${figures}\n`);
    const [one = 0, ten = 0, fifty = 0, many = 0] = grown;
    expect(ten, "nodes cost something").above(one);
    expect(fifty).above(ten);
    expect(fifty / MAX_JOB_NODE_COUNT, "bytes a node").below(700);
    expect(many - fifty).within(-2_048, 2_048);
  });
});
